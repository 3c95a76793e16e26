// SPDX-License-Identifier: BSD-3-Clause
//
// The clock tree of a Nucleo-G474RE (clock_hz = 170 MHz):
//
//   HSE 24 MHz crystal                   MCUGEN_HSE_HZ
//     / M = 6   -> 4 MHz   PLL input     2.66 to 16 MHz   RM0440, RCC_PLLCFGR
//     * N = 85  -> 340 MHz VCO           96 to 344 MHz    RM0440, RCC_PLLCFGR
//     / R = 2   -> 170 MHz SYSCLK, HCLK, PCLK1, PCLK2
//   Regulator: range 1, boost above MCUGEN_BOOST_ABOVE_HZ  RM0440, PWR_CR5
//
// HSE missing: the same from HSI16 (16 MHz / 4). PLL missing: HSE, else HSI16, directly.
#include <bsp/stm32g4/registers.h>
#include <bsp/stm32lg/rcc.h>

namespace mcugen::stm32 {
namespace {

using namespace stm32g4;

// RM0440, RCC, system clock selection: the step to more takes 1 us at half of it.
constexpr uint32_t kHalveAboveHz = 80000000;

constexpr Sysclk kSysclk = {
    kRccCfgr,
    2,
    kRccCfgrSwsPos,
    kRccCfgrHprePos,
    {{kRccCfgrPpre1Pos, UINT32_MAX},
     {kRccCfgrPpre2Pos, UINT32_MAX}},  // all buses can do what the core can
    kRccCfgrSwHsi,
    kHalveAboveHz,
};
constexpr PllLimits kPll = {16, 8, 127, 2660000, 16000000, 96000000, 344000000};

}  // namespace

const Rcc kRcc = {
    kSysclk,
    kRccCfgrSwHse,
    kRccCfgrSwPll,
    16000000,
    ClockSource::kHsi,
    kPll,
    kRccPllCfgrPllREn | 0u << kRccPllCfgrPllRPos,
    kFlashAcrLatencyMask,
    kFlashAcrIcEn | kFlashAcrDcEn,
    kRccApb1Enr1,
    kRccApb1Enr1Pwr,
    0,
    kRccCsr,
    kRccCsrRmvf,
};

const ResetBits kResetBits = {
    kRccCsrIwdgRst | kRccCsrWwdgRst, kRccCsrSftRst, kRccCsrLpwrRst, kRccCsrBorRst, 0, kRccCsrPinRst,
};

LockedOscillator start_locked_oscillator() { return {0, 0}; }

}  // namespace mcugen::stm32
