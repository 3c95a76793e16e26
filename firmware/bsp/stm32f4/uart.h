// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>

namespace mcugen::stm32f4 {

/// Set up USART2 on PA2 (TX) and PA3 (RX) as 8N1 with receive interrupt. After `clock_init()`.
/// @param[in] baud At most a sixteenth of the APB1 clock.
void uart_init(uint32_t baud);

}  // namespace mcugen::stm32f4
