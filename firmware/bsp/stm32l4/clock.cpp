// SPDX-License-Identifier: BSD-3-Clause
//
// The clock tree of the L4 boards, whose MSI is locked to their 32 kHz crystal:
//
//   MSI 4 MHz, range 6, PLL mode    better than 0.25 %   RM0351 6.2.3
//     / M = 1   -> 4 MHz   PLL input                     4 to 16 MHz (L4+: from 2.66), RCC_PLLCFGR
//     * N = 40  -> 160 MHz VCO      L4+: 60, 240 MHz     64 to 344 MHz, RCC_PLLCFGR
//     / R = 2   -> 80 MHz SYSCLK    L4+: 120 MHz         also HCLK, PCLK1, PCLK2
//   Regulator: range 1; of the L4+ boost above 80 MHz    RM0432, PWR_CR5
//
// No crystal: the same from HSI16 (16 MHz * 10, * 15). No PLL: MSI, 4 MHz, as after a reset.
#include <bsp/stm32/access.h>
#include <bsp/stm32/lse.h>
#include <bsp/stm32l4/registers.h>
#include <bsp/stm32lg/rcc.h>

#if !defined(MCUGEN_LSE) || !defined(MCUGEN_PLL_MAX_M) || !defined(MCUGEN_PLL_MAX_N)
#error "The board file must define the macros listed in bsp/stm32l4/README.md"
#endif

namespace mcugen::stm32 {
namespace {

using namespace stm32l4;

constexpr uint32_t kMsiHz = 4000000;  // range 6
constexpr Lse kLse = {kPwrCr1, kPwrCr1Dbp, kRccBdcr};
// RM0432, PWR, dynamic voltage scaling: the step to more takes 1 us at half of it.
constexpr uint32_t kHalveAboveHz = 80000000;

constexpr Sysclk kSysclk = {
    kRccCfgr,
    2,
    kRccCfgrSwsPos,
    kRccCfgrHprePos,
    {{kRccCfgrPpre1Pos, UINT32_MAX},
     {kRccCfgrPpre2Pos, UINT32_MAX}},  // all buses can do what the core can
    kRccCfgrSwMsi,
    kHalveAboveHz,
};
constexpr PllLimits kPll = {MCUGEN_PLL_MAX_M, 8,        MCUGEN_PLL_MAX_N, 4000000,
                            16000000,         64000000, 344000000};

}  // namespace

const Rcc kRcc = {
    kSysclk,
    kRccCfgrSwHse,
    kRccCfgrSwPll,
    kMsiHz,
    ClockSource::kMsi,
    kPll,
    kRccPllCfgrPllREn | 0u << kRccPllCfgrPllRPos,
    kFlashAcrLatencyMask,
    kFlashAcrIcEn | kFlashAcrDcEn,
    kRccApb1Enr1,
    kRccApb1Enr1Pwr,
    kPwrCr2Iosv,
    kRccCsr,
    kRccCsrRmvf,
};

const ResetBits kResetBits = {
    kRccCsrIwdgRst | kRccCsrWwdgRst, kRccCsrSftRst, kRccCsrLpwrRst, kRccCsrBorRst, 0, kRccCsrPinRst,
};

LockedOscillator start_locked_oscillator() {
  if (MCUGEN_LSE == 0 || !start_lse(kLse)) {
    return {0, 0};
  }
  set_bits(kRccCr, kRccCrMsiPllEn);
  if (!wait_for(kRccCr, kRccCrMsiPllEn, kRccCrMsiPllEn)) {
    return {0, 0};  // refused: LSE is not there
  }
  return {kMsiHz, kRccPllCfgrSrcMsi};
}

}  // namespace mcugen::stm32
