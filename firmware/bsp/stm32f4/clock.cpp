// SPDX-License-Identifier: BSD-3-Clause
//
// The clock tree of a Nucleo-F446RE (clock_hz = 180 MHz), and what is used for other targets:
//
//   HSE 8 MHz (ST-LINK's MCO, bypass)        MCUGEN_HSE_HZ               RM0390 6.2.1
//     / M = 4   -> 2 MHz   PLL input         2 MHz limits PLL jitter     RM0390 6.3.2
//     * N = 180 -> 360 MHz VCO               100 to 432 MHz              RM0390 6.3.2
//     / P = 2   -> 180 MHz SYSCLK, HCLK      AHB prescaler 1             RM0390 6.3.3
//     / Q = 8   -> 45 MHz                    unused (USB, SDIO: <= 48 MHz)
//   APB1 / 4    -> 45 MHz  PCLK1, USART2     at most MCUGEN_APB1_MAX_HZ  RM0390 6.2
//   APB2 / 2    -> 90 MHz  PCLK2             at most MCUGEN_APB2_MAX_HZ  RM0390 6.2
//   Flash: 5 wait states (one per 30 MHz at 2.7 to 3.6 V), prefetch and both caches  RM0390 3.4.1
//   Regulator: scale 1, over-drive above 168 MHz                         RM0390 5.1.4
//
// HSE missing: the same from HSI (16 MHz / 8). PLL missing: HSE, else HSI, directly.
#include <bsp/stm32/access.h>
#include <bsp/stm32/family.h>
#include <bsp/stm32/sysclk.h>
#include <bsp/stm32f4/registers.h>

#if !defined(MCUGEN_HSE_HZ) || !defined(MCUGEN_HSE_BYPASS) || !defined(MCUGEN_APB1_MAX_HZ) || \
    !defined(MCUGEN_APB2_MAX_HZ) || !defined(MCUGEN_OVERDRIVE_ABOVE_HZ)
#error "The board file must define the macros listed in bsp/stm32f4/README.md"
#endif

namespace mcugen::stm32 {
namespace {

using namespace stm32f4;

constexpr uint32_t kHsiHz = 16000000;                // RM0390 6.2.2
constexpr uint32_t kHzPerFlashWaitState = 30000000;  // RM0390 table 5, 2.7 to 3.6 V

constexpr Sysclk kSysclk = {
    kRccCfgr,
    2,
    kRccCfgrSwsPos,
    kRccCfgrHprePos,
    {{kRccCfgrPpre1Pos, MCUGEN_APB1_MAX_HZ}, {kRccCfgrPpre2Pos, MCUGEN_APB2_MAX_HZ}},
    kRccCfgrSwHsi,
};

// Lock the PLL at kBoardConfig.clock_hz from `input_hz`; P is always 2.
bool start_pll(uint32_t input_hz, uint32_t source_bit) {
  // 2 MHz into the PLL where the input divides so, else 1 MHz: the allowed range is 1 to 2 MHz.
  const uint32_t vco_input_hz = input_hz % 2000000 == 0 ? 2000000 : 1000000;
  const uint32_t pll_m = input_hz / vco_input_hz;
  const uint32_t vco_hz = 2 * kBoardConfig.clock_hz;
  const uint32_t pll_n = vco_hz / vco_input_hz;
  if (input_hz % vco_input_hz != 0 || vco_hz % vco_input_hz != 0 || pll_m < 2 || pll_m > 63 ||
      pll_n < 50 || pll_n > 432 || vco_hz < 100000000 || vco_hz > 432000000) {
    return false;  // the PLL cannot make this clock (RM0390 6.3.2)
  }

  // RM0390 5.1.4: the regulator's scale can only be changed with the PLL off, then over-drive with
  // the PLL on and SYSCLK still on HSI or HSE.
  set_bits(kRccApb1Enr, kRccApb1EnrPwr);
  read_back(kRccApb1Enr);  // RM0390 6.2.13: the clock runs two cycles after it is enabled
  set_bits(kPwrCr, kPwrCrVosScale1);
  reg32(kRccPllCfgr) = pll_m << kRccPllCfgrPllMPos | pll_n << kRccPllCfgrPllNPos |
                       0u << kRccPllCfgrPllPPos | source_bit | 8u << kRccPllCfgrPllQPos |
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

bool set_flash_wait_states(uint32_t clock_hz) {
  const uint32_t wait_states = (clock_hz - 1) / kHzPerFlashWaitState;
  change(kFlashAcr, kFlashAcrLatencyMask,
         wait_states | kFlashAcrPrftEn | kFlashAcrIcEn | kFlashAcrDcEn);
  // RM0390 3.4.1: read back before the clock goes up.
  return wait_for(kFlashAcr, kFlashAcrLatencyMask, wait_states);
}

FlashSetup flash_setup() {
  const uint32_t acr = reg32(kFlashAcr);
  return {static_cast<int>(acr & kFlashAcrLatencyMask), (acr & kFlashAcrPrftEn) != 0,
          (acr & kFlashAcrIcEn) != 0, (acr & kFlashAcrDcEn) != 0};
}

void clock_init() {
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
