// SPDX-License-Identifier: BSD-3-Clause
#include <port/cortex_m/vectors.h>

namespace mcugen {
namespace {

using Vectors = VectorTable<MCUGEN_UART_RX_IRQ>;

constexpr Vectors kVectors
    __attribute__((section(".isr_vector"), used, aligned(vector_alignment(sizeof(Vectors))))) =
        make_vectors<MCUGEN_UART_RX_IRQ>();

}  // namespace

const void* vector_table() { return &kVectors; }

}  // namespace mcugen
