// SPDX-License-Identifier: BSD-3-Clause
//
// What feeds the PLL, best first:
//
//   HSE, where the board has one (MCUGEN_HSE_HZ)
//   an oscillator of the part's own, locked to a crystal of 32 kHz
//   HSI16, 16 MHz
//
// Input / M * N / 2 is SYSCLK, HCLK and all PCLK. No PLL: HSE, else the clock after a reset.
#include <bsp/stm32/access.h>
#include <bsp/stm32lg/rcc.h>

namespace mcugen::stm32 {
namespace {

constexpr uint32_t kHsiHz = 16000000;
constexpr uint32_t kPortG = 6;

// Voltage range 1, as after a reset, and boost where the clock needs it.
bool raise_voltage() {
  set_bits(kRcc.pwr_enable, kRcc.pwr_enable_bit);
  read_back(kRcc.pwr_enable);  // the clock runs two cycles after it is enabled
  if (MCUGEN_UART_TX_PIN / 16 == kPortG || MCUGEN_UART_RX_PIN / 16 == kPortG) {
    set_bits(kPwrCr2, kRcc.iosv);
  }
  change(kPwrCr1, kPwrCr1VosMask, kPwrCr1VosRange1);
  if (!wait_for(kPwrSr2, kPwrSr2Vosf, 0)) {
    return false;
  }
  if (MCUGEN_BOOST_ABOVE_HZ == 0 || kBoardConfig.clock_hz <= MCUGEN_BOOST_ABOVE_HZ) {
    return true;
  }
  change(kPwrCr5, kPwrCr5R1Mode, 0);
  return wait_for(kPwrCr5, kPwrCr5R1Mode, 0) && wait_for(kPwrSr2, kPwrSr2Vosf, 0);
}

void stop_pll() {
  change(kRccCr, kRccCrPllOn, 0);
  wait_for(kRccCr, kRccCrPllRdy, 0);
}

bool run_from_pll(uint32_t input_hz, uint32_t source) {
  const PllFactors factors = pll_factors(kRcc.pll, input_hz, 2 * kBoardConfig.clock_hz);
  if (factors.m == 0) {
    return false;
  }
  reg32(kRccPllCfgr) = source | (factors.m - 1) << kRccPllCfgrPllMPos |
                       factors.n << kRccPllCfgrPllNPos | kRcc.pll_r2;
  if (!turn_on(kRccCr, kRccCrPllOn, kRccCrPllRdy)) {
    return false;
  }
  if (switch_sysclk(kRcc.sysclk, kRcc.sw_pll, kBoardConfig.clock_hz)) {
    return true;
  }
  stop_pll();
  return false;
}

bool start_hse() {
  if (MCUGEN_HSE_HZ == 0) {
    return false;
  }
  set_bits(kRccCr, MCUGEN_HSE_BYPASS ? kRccCrHseByp : 0);  // to be set before HSEON
  return turn_on(kRccCr, kRccCrHseOn, kRccCrHseRdy);
}

}  // namespace

bool set_flash_wait_states(uint32_t clock_hz) {
  const uint32_t wait_states = (clock_hz - 1) / MCUGEN_FLASH_STEP_HZ;
  const uint32_t prefetch = MCUGEN_FLASH_PREFETCH ? kFlashAcrPrftEn : 0;
  change(kFlashAcr, kRcc.latency_mask | kFlashAcrPrftEn, wait_states | prefetch | kRcc.caches);
  if (reg32(kFlashAcr) == 0) {
    return true;  // not even ICEN: a simulator without a flash interface
  }
  return wait_for(kFlashAcr, kRcc.latency_mask, wait_states);
}

FlashSetup flash_setup() {
  const uint32_t acr = reg32(kFlashAcr);
  if (acr == 0) {
    return {-1, false, false, false};
  }
  return {static_cast<int>(acr & kRcc.latency_mask), (acr & kFlashAcrPrftEn) != 0,
          (acr & kFlashAcrIcEn) != 0, (acr & kFlashAcrDcEn) != 0};
}

void clock_init() {
  all_clocks(kRcc.reset_hz, kRcc.reset_clock);
  g_clock.reset_flags = reg32(kRcc.csr);
  set_bits(kRcc.csr, kRcc.csr_rmvf);

  // A bootloader may have left the PLL running; it must not be changed while SYSCLK uses it.
  reset_sysclk(kRcc.sysclk);
  stop_pll();

  if (!raise_voltage()) {
    return;
  }
  const bool hse = start_hse();
  if (hse && run_from_pll(MCUGEN_HSE_HZ, kRccPllCfgrSrcHse)) {
    g_clock.source = ClockSource::kPll;
  } else if (hse && switch_sysclk(kRcc.sysclk, kRcc.sw_hse, MCUGEN_HSE_HZ)) {
    g_clock.source = ClockSource::kHse;
  } else {
    const LockedOscillator own = start_locked_oscillator();
    if (own.hz != 0 && run_from_pll(own.hz, own.pll_src)) {
      g_clock.source = ClockSource::kMsiLocked;
    } else if (turn_on(kRccCr, kRccCrHsiOn, kRccCrHsiRdy) &&
               run_from_pll(kHsiHz, kRccPllCfgrSrcHsi)) {
      g_clock.source = ClockSource::kHsi;
    } else if (own.hz != 0) {
      g_clock.source = ClockSource::kMsiLocked;  // no PLL, but no less exact
    }
  }
}

}  // namespace mcugen::stm32
