// SPDX-License-Identifier: BSD-3-Clause
//
// The clock tree of the G0 boards (clock_hz = 64 MHz), which have no HSE:
//
//   HSI16                                1 % from 0 to 85 degrees, DS12232
//     / M = 1   -> 16 MHz  PLL input     2.66 to 16 MHz   RM0444, RCC_PLLCFGR
//     * N = 8   -> 128 MHz VCO           96 to 344 MHz    DS12232, PLL characteristics
//     / R = 2   -> 64 MHz SYSCLK, HCLK, PCLK
//
// No PLL: HSI16 directly.
#include <bsp/stm32g0/registers.h>
#include <bsp/stm32lg/rcc.h>

namespace mcugen::stm32 {
namespace {

using namespace stm32g0;

constexpr Sysclk kSysclk = {
    kRccCfgr,
    3,
    kRccCfgrSwsPos,
    kRccCfgrHprePos,
    {{kRccCfgrPprePos, UINT32_MAX},
     {kRccCfgrPprePos, UINT32_MAX}},  // all buses can do what the core can
    kRccCfgrSwHsiSys,
};
constexpr PllLimits kPll = {8, 8, 86, 2660000, 16000000, 96000000, 344000000};

}  // namespace

const Rcc kRcc = {
    kSysclk,
    kRccCfgrSwHse,
    kRccCfgrSwPll,
    16000000,
    ClockSource::kHsi,
    kPll,
    kRccPllCfgrPllREn | 1u << kRccPllCfgrPllRPos,
    kFlashAcrLatencyMask,
    kFlashAcrIcEn,
    kRccApbEnr1,
    kRccApbEnr1Pwr,
    0,
    kRccCsr,
    kRccCsrRmvf,
};

const ResetBits kResetBits = {
    kRccCsrIwdgRst | kRccCsrWwdgRst, kRccCsrSftRst, kRccCsrLpwrRst, kRccCsrPwrRst, 0, kRccCsrPinRst,
};

LockedOscillator start_locked_oscillator() { return {0, 0}; }

}  // namespace mcugen::stm32
