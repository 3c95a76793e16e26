// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>

/// The UARTE at MCUGEN_UART_BASE: brings port/uart.h.

namespace mcugen::nrf {

/// Set up the UARTE on its pins as 8N1 with receive interrupt, without flow control.
/// @param[in] baud At most 1,000,000.
void uart_init(uint32_t baud);

}  // namespace mcugen::nrf
