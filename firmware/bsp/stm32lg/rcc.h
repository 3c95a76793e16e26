// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <bsp/stm32/pll.h>
#include <bsp/stm32/sysclk.h>
#include <bsp/stm32lg/registers.h>

#include <cstdint>

/// What L4, G0 and G4 have in common: flash interface, voltage ranges, a PLL whose output R is
/// SYSCLK. Brings `clock_init()`, `set_flash_wait_states()` and `flash_setup()`.

#if !defined(MCUGEN_FLASH_STEP_HZ) || !defined(MCUGEN_FLASH_PREFETCH) || \
    !defined(MCUGEN_BOOST_ABOVE_HZ) || !defined(MCUGEN_HSE_HZ) || !defined(MCUGEN_HSE_BYPASS)
#error "The board file must define the macros listed in bsp/stm32lg/README.md"
#endif

namespace mcugen::stm32 {

/// How these families differ.
struct Rcc {
  Sysclk sysclk;
  uint32_t sw_hse;  ///< CFGR.SW
  uint32_t sw_pll;
  uint32_t reset_hz;  ///< SYSCLK after a reset
  ClockSource reset_clock;
  PllLimits pll;
  uint32_t pll_r2;        ///< PLLCFGR: output R on, divided by 2
  uint32_t latency_mask;  ///< FLASH_ACR.LATENCY
  uint32_t caches;        ///< FLASH_ACR: ICEN, and DCEN where there is one
  uintptr_t pwr_enable;   ///< RCC register that enables PWR
  uint32_t pwr_enable_bit;
  uint32_t iosv;  ///< PWR_CR2: port G has its supply, VDDIO2; 0: no port has its own
  uintptr_t csr;
  uint32_t csr_rmvf;
};

// ---- Defined by the family ----

extern const Rcc kRcc;

/// An oscillator of the part's own that a crystal corrects.
struct LockedOscillator {
  uint32_t hz;       ///< 0: there is none, or no crystal
  uint32_t pll_src;  ///< PLLCFGR.PLLSRC
};

/// Start it. Called with SYSCLK as after a reset, in voltage range 1.
LockedOscillator start_locked_oscillator();

}  // namespace mcugen::stm32
