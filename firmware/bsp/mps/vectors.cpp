// SPDX-License-Identifier: BSD-3-Clause
#include <port/cortex_m/vectors.h>

namespace mcugen {

using Vectors = VectorTable<MCUGEN_UART_RX_IRQ>;

extern "C" const Vectors vector_table
    __attribute__((section(".isr_vector"), used, aligned(vector_alignment(sizeof(Vectors))))) =
        make_vectors<MCUGEN_UART_RX_IRQ>();

}  // namespace mcugen
