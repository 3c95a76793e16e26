// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>

namespace mcugen::stm32f4 {

/// Bring the core to `kBoardConfig.clock_hz` if the hardware lets us; else leave it at the best
/// clock that works. Every wait is bounded.
void clock_init();

/// @returns the clock of the APB1 peripherals (USART2), in Hz.
uint32_t apb1_clock_hz();

}  // namespace mcugen::stm32f4
