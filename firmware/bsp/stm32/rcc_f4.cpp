// SPDX-License-Identifier: BSD-3-Clause
//
// The clock tree of a Nucleo-F446RE (clock_hz = 180 MHz), and what is used for other targets:
//
//   HSE 8 MHz (ST-LINK's MCO, bypass)        MCUGEN_HSE_HZ               RM0390 6.2.1
//     / M = 4   -> 2 MHz   PLL input         2 MHz limits PLL jitter     RM0390 6.3.2
//     * N = 180 -> 360 MHz VCO               192 to 432 MHz              RM0390 6.3.2,
//     DS10086 6.3.10 / P = 2   -> 180 MHz SYSCLK, HCLK      AHB prescaler 1 RM0390 6.3.3 / Q = 8 ->
//     45 MHz                    unused (USB, SDIO: <= 48 MHz)
//   APB1 / 4    -> 45 MHz  PCLK1             at most MCUGEN_APB1_MAX_HZ  RM0390 6.2
//   APB2 / 2    -> 90 MHz  PCLK2             at most MCUGEN_APB2_MAX_HZ  RM0390 6.2
//   Flash: a wait state per 30 MHz at 2.7 to 3.6 V                       RM0390 3.4.1
//   Regulator: MCUGEN_VOS, over-drive above MCUGEN_OVERDRIVE_ABOVE_HZ    RM0390 5.1.4
//
// The others: F411 8 MHz / 4 * 100 / 2, F401 8 MHz / 5 * 210 / 4, F767 8 MHz / 4 * 216 / 2,
// F746 25 MHz / 25 * 432 / 2.
//
// HSE missing: the same from HSI (16 MHz / 8). PLL missing: HSE, else HSI, directly.
#include <bsp/stm32/access.h>
#include <bsp/stm32/pll.h>
#include <bsp/stm32/rcc_f4.h>
#include <bsp/stm32/sysclk.h>

#if !defined(MCUGEN_HSE_HZ) || !defined(MCUGEN_HSE_BYPASS) || !defined(MCUGEN_APB1_MAX_HZ) ||      \
    !defined(MCUGEN_APB2_MAX_HZ) || !defined(MCUGEN_OVERDRIVE_ABOVE_HZ) || !defined(MCUGEN_VOS) || \
    !defined(MCUGEN_PLL_N_MIN)
#error "The board file must define the macros listed in bsp/stm32f4/README.md"
#endif

namespace mcugen::stm32 {
namespace {

constexpr uint32_t kHsiHz = 16000000;  // RM0390 6.2.2

// DS10086 (F401): the VCO at 192 MHz and more; others may go down to 100 MHz.
constexpr PllLimits kPllLimits = {63,      MCUGEN_PLL_N_MIN, 432,      1000000,
                                  2000000, 192000000,        432000000};

constexpr Sysclk kSysclk = {
    kRccCfgr,
    2,
    kRccCfgrSwsPos,
    kRccCfgrHprePos,
    {{kRccCfgrPpre1Pos, MCUGEN_APB1_MAX_HZ}, {kRccCfgrPpre2Pos, MCUGEN_APB2_MAX_HZ}},
    kRccCfgrSwHsi,
};

// Lock the PLL at kBoardConfig.clock_hz from `input_hz`.
bool start_pll(uint32_t input_hz, uint32_t source_bit) {
  uint32_t p = 2;
  while (p < 8 && kBoardConfig.clock_hz * p < kPllLimits.min_vco_hz) {
    p += 2;
  }
  const PllFactors pll = pll_factors(kPllLimits, input_hz, kBoardConfig.clock_hz * p);
  if (pll.m < 2) {
    return false;  // the PLL cannot make this clock (RM0390 6.3.2)
  }

  // RM0390 5.1.4: the regulator's scale can only be changed with the PLL off, then over-drive with
  // the PLL on and SYSCLK still on HSI or HSE.
  set_bits(kRccApb1Enr, kRccApb1EnrPwr);
  read_back(kRccApb1Enr);  // RM0390 6.2.13: the clock runs two cycles after it is enabled
  change(kPwrCr, kPwrCrVosMask << kPwrCrVosPos, MCUGEN_VOS << kPwrCrVosPos);
  // R, where there is none, is to be left at 2.
  reg32(kRccPllCfgr) = pll.m << kRccPllCfgrPllMPos | pll.n << kRccPllCfgrPllNPos |
                       (p / 2 - 1) << kRccPllCfgrPllPPos | source_bit | 8u << kRccPllCfgrPllQPos |
                       2u << kRccPllCfgrPllRPos;
  if (!turn_on(kRccCr, kRccCrPllOn, kRccCrPllRdy)) {
    return false;
  }
  // RM0390 5.4.3: the scale that was chosen takes effect only with the PLL on.
  if (!wait_for(kPwrCsr, kPwrCsrVosRdy, kPwrCsrVosRdy)) {
    return false;
  }
  if (MCUGEN_OVERDRIVE_ABOVE_HZ != 0 && kBoardConfig.clock_hz > MCUGEN_OVERDRIVE_ABOVE_HZ) {
    set_bits(kPwrCr, kPwrCrOdEn);
    if (!wait_for(kPwrCsr, kPwrCsrOdRdy, kPwrCsrOdRdy)) {
      return false;
    }
    set_bits(kPwrCr, kPwrCrOdSwEn);
    if (!wait_for(kPwrCsr, kPwrCsrOdSwRdy, kPwrCsrOdSwRdy)) {
      return false;
    }
  }
  return true;
}

}  // namespace

const ResetBits kResetBits = {
    // RM0390 6.3.21
    kRccCsrIwdgRst | kRccCsrWwdgRst,
    kRccCsrSftRst,
    kRccCsrLpwrRst,
    kRccCsrPorRst,
    kRccCsrBorRst,
    kRccCsrPinRst,
};

void start_f4_clocks() {
  all_clocks(kHsiHz, ClockSource::kHsi);  // out of reset: RM0390 6.2.2
  if (simulated_clock(kRccCr)) {
    return;
  }
  g_clock.reset_flags = reg32(kRccCsr);
  set_bits(kRccCsr, kRccCsrRmvf);

  set_bits(kRccCr, kRccCrHsiOn);
  wait_for(kRccCr, kRccCrHsiRdy, kRccCrHsiRdy);
  reset_sysclk(kSysclk);
  change(kRccCr, kRccCrPllOn, 0);
  wait_for(kRccCr, kRccCrPllRdy, 0);

  set_bits(kRccCr, MCUGEN_HSE_BYPASS ? kRccCrHseByp : 0);  // to be set before HSEON
  const bool hse = turn_on(kRccCr, kRccCrHseOn, kRccCrHseRdy);
  const bool pll = hse ? start_pll(MCUGEN_HSE_HZ, kRccPllCfgrSrcHse) : start_pll(kHsiHz, 0);
  if (pll && switch_sysclk(kSysclk, kRccCfgrSwPll, kBoardConfig.clock_hz)) {
    g_clock.source = hse ? ClockSource::kPll : ClockSource::kHsi;
  } else if (hse && switch_sysclk(kSysclk, kRccCfgrSwHse, MCUGEN_HSE_HZ)) {
    g_clock.source = ClockSource::kHse;
  }
}

}  // namespace mcugen::stm32
