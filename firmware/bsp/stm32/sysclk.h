// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <bsp/stm32/family.h>

/// The switch of SYSCLK and the dividers of the peripheral buses, as RCC_CFGR has them in F1, F4,
/// F7, L4, G0 and G4.

namespace mcugen::stm32 {

/// Where the fields are. AHB's divider is 1.
struct Sysclk {
  uintptr_t cfgr;
  uint32_t sw_bits;  ///< width of SW, at 0, and of SWS
  uint32_t sws_at;
  uint32_t hpre_at;  ///< four bits
  struct {
    uint32_t ppre_at;  ///< three bits
    uint32_t max_hz;
  } buses[2];             ///< APB1, APB2. Without an APB2, twice the same.
  uint32_t reset_source;  ///< SW after a reset
  /// A switch to more than this goes by way of half of it on AHB; 0: none does. L4+, G4.
  uint32_t halve_above_hz = 0;
};

/// Let SYSCLK be `source`. Flash and bus dividers are made right for the new clock first: only for
/// going up, which is all that happens after a reset. If the switch fails, SYSCLK is what it was
/// after the reset. Sets the clocks in `g_clock`, not their source.
/// @returns whether the core runs at `clock_hz` now.
bool switch_sysclk(const Sysclk& sysclk, uint32_t source, uint32_t clock_hz);

/// Let SYSCLK be what it is after a reset: a bootloader may have left the PLL running, which must
/// not be changed while it is used.
void reset_sysclk(const Sysclk& sysclk);

/// Take the clock of a simulator without RCC, if this is one: a register that is never 0 on a real
/// part then reads 0. SysTick runs at a clock of its own choice there. QEMU's STM32F4 machines tell
/// it in SYST_CALIB, as the count of 10 ms of the reference clock, which is HCLK / 8.
/// @param[in] rcc_cr RCC_CR, which has an oscillator on whenever this code runs.
/// @returns whether this is one; then there is nothing to set up.
bool simulated_clock(uintptr_t rcc_cr);

}  // namespace mcugen::stm32
