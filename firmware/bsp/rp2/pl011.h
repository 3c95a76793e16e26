// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>

/// UART0, a PL011: brings port/uart.h.

namespace mcugen::rp2 {

/// Set up UART0 on its pins as 8N1 with receive interrupt. After `clock_init()`.
/// @param[in] baud At most a sixteenth of the core's clock.
void uart_init(uint32_t baud);

}  // namespace mcugen::rp2
