// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>

namespace mcugen::mps {

/// Set up UART0 as 8N1 with receive interrupt. The pins are fixed in the FPGA image.
/// @param[in] baud Up to MCUGEN_UART_CLOCK_HZ / 16.
void uart_init(uint32_t baud);

}  // namespace mcugen::mps
