// SPDX-License-Identifier: BSD-3-Clause
//
// The clock tree of a Nucleo-U575ZI-Q, whose MSI is locked to its 32 kHz crystal:
//
//   MSIS 4 MHz, PLL mode
//     / M = 1   -> 4 MHz   PLL1 input         4 to 8 MHz with PLL1RGE 0     RM0456, RCC_PLL1CFGR
//     * N = 80  -> 320 MHz VCO                128 to 544 MHz                DS13737, PLL
//     / R = 2   -> 160 MHz SYSCLK, HCLK, PCLK1 to PCLK3
//   Regulator: range 1, with the EPOD booster above 55 MHz                  RM0456, PWR_VOSR
//   Booster: fed with the PLL's source / MBOOST, 4 to 16 MHz                RM0456, RCC_PLL1CFGR
//
// HSE, where the board has one, goes before MSIS. No crystal at all: the same from HSI16 (/ 4). No
// PLL: HSE, else MSIS, 4 MHz, as after a reset.
#include <bsp/stm32/access.h>
#include <bsp/stm32/family.h>
#include <bsp/stm32/lse.h>
#include <bsp/stm32/pll.h>
#include <bsp/stm32u5/registers.h>

#if !defined(MCUGEN_FLASH_STEP_HZ) || !defined(MCUGEN_BOOST_ABOVE_HZ) || \
    !defined(MCUGEN_HSE_HZ) || !defined(MCUGEN_HSE_BYPASS) || !defined(MCUGEN_LSE)
#error "The board file must define the macros listed in bsp/stm32u5/README.md"
#endif

namespace mcugen::stm32 {
namespace {

using namespace stm32u5;

constexpr uint32_t kMsisHz = 4000000;
constexpr uint32_t kHsiHz = 16000000;
constexpr uint32_t kMaxBoosterHz = 16000000;
constexpr uint32_t kPortG = 6;
constexpr PllLimits kPll1 = {16, 4, 512, 4000000, 8000000, 128000000, 544000000};

constexpr Lse kLse = {kPwrDbpr, kPwrDbprDbp, kRccBdcr, kRccBdcrLseSysEn, kRccBdcrLseSysRdy};

bool select(uint32_t source) {
  change(kRccCfgr1, kRccCfgr1SwMask, source);
  return wait_for(kRccCfgr1, kRccCfgr1SwMask << kRccCfgr1SwsPos, source << kRccCfgr1SwsPos);
}

bool switch_to(uint32_t source, uint32_t clock_hz) {
  if (!set_flash_wait_states(clock_hz)) {
    return false;
  }
  if (!select(source)) {
    change(kRccCfgr1, kRccCfgr1SwMask, kRccCfgr1SwMsis);
    return false;
  }
  all_clocks(clock_hz, g_clock.source);
  return true;
}

bool raise_voltage() {
  if (MCUGEN_UART_TX_PIN / 16 == kPortG || MCUGEN_UART_RX_PIN / 16 == kPortG) {
    set_bits(kPwrSvmcr, kPwrSvmcrIo2Sv);  // its supply, VDDIO2, is there
  }
  change(kPwrVosr, kPwrVosrVosMask, kPwrVosrVosRange1);
  return wait_for(kPwrVosr, kPwrVosrVosRdy, kPwrVosrVosRdy);
}

// The booster takes PLL1's source, not its output: it can be on before the PLL is.
bool boost() {
  if (kBoardConfig.clock_hz <= MCUGEN_BOOST_ABOVE_HZ) {
    return true;
  }
  return turn_on(kPwrVosr, kPwrVosrBoostEn, kPwrVosrBoostRdy);
}

void stop_pll() {
  change(kRccCr, kRccCrPll1On, 0);
  wait_for(kRccCr, kRccCrPll1Rdy, 0);
  change(kPwrVosr, kPwrVosrBoostEn, 0);
}

bool run_from_pll(uint32_t input_hz, uint32_t source) {
  const PllFactors factors = pll_factors(kPll1, input_hz, 2 * kBoardConfig.clock_hz);
  if (factors.m == 0) {
    return false;
  }
  uint32_t mboost = 0;
  while (input_hz >> mboost > kMaxBoosterHz) {
    ++mboost;
  }
  reg32(kRccPll1Cfgr) = source | (factors.m - 1) << kRccPll1CfgrPll1MPos |
                        mboost << kRccPll1CfgrPll1MBoostPos | kRccPll1CfgrPll1REn;
  reg32(kRccPll1Divr) = (factors.n - 1) << kRccPll1DivrPll1NPos | 1u << kRccPll1DivrPll1PPos |
                        1u << kRccPll1DivrPll1QPos | 1u << kRccPll1DivrPll1RPos;
  if (boost() && turn_on(kRccCr, kRccCrPll1On, kRccCrPll1Rdy) &&
      switch_to(kRccCfgr1SwPll, kBoardConfig.clock_hz)) {
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

bool lock_msis() {
  if (MCUGEN_LSE == 0 || !start_lse(kLse)) {
    return false;
  }
  set_bits(kRccCr, kRccCrMsiPllSel);  // to be set before MSIPLLEN
  set_bits(kRccCr, kRccCrMsiPllEn);
  return wait_for(kRccCr, kRccCrMsiPllEn, kRccCrMsiPllEn);  // refused without LSE
}

// For code and constants alike: flash is on the bus that it is in front of.
void start_icache() {
  wait_for(kIcacheSr, kIcacheSrBusyF, 0);  // it is invalidated after a reset
  set_bits(kIcacheCr, kIcacheCrEn);
}

}  // namespace

const ResetBits kResetBits = {
    kRccCsrIwdgRst | kRccCsrWwdgRst,
    kRccCsrSftRst,
    kRccCsrLpwrRst,
    kRccCsrBorRst,  // power-on as well as brown-out
    0,
    kRccCsrPinRst,
};

bool set_flash_wait_states(uint32_t clock_hz) {
  const uint32_t wait_states = (clock_hz - 1) / MCUGEN_FLASH_STEP_HZ;
  change(kFlashAcr, kFlashAcrLatencyMask, wait_states | kFlashAcrPrftEn);
  return wait_for(kFlashAcr, kFlashAcrLatencyMask, wait_states);
}

FlashSetup flash_setup() {
  const uint32_t acr = reg32(kFlashAcr);
  const bool cached = (reg32(kIcacheCr) & kIcacheCrEn) != 0;
  return {static_cast<int>(acr & kFlashAcrLatencyMask), (acr & kFlashAcrPrftEn) != 0, cached,
          false};
}

void clock_init() {
  all_clocks(kMsisHz, ClockSource::kMsi);
  g_clock.reset_flags = reg32(kRccCsr);
  set_bits(kRccCsr, kRccCsrRmvf);

  set_bits(kRccAhb3Enr, kRccAhb3EnrPwr);  // before the booster is touched
  read_back(kRccAhb3Enr);

  // A bootloader may have left the PLL running; it must not be changed while SYSCLK uses it.
  select(kRccCfgr1SwMsis);
  stop_pll();
  start_icache();

  if (!raise_voltage()) {
    return;
  }
  const bool hse = start_hse();
  if (hse && run_from_pll(MCUGEN_HSE_HZ, kRccPll1CfgrSrcHse)) {
    g_clock.source = ClockSource::kPll;
  } else if (hse && switch_to(kRccCfgr1SwHse, MCUGEN_HSE_HZ)) {
    g_clock.source = ClockSource::kHse;
  } else {
    const bool locked = lock_msis();
    if (locked && run_from_pll(kMsisHz, kRccPll1CfgrSrcMsis)) {
      g_clock.source = ClockSource::kMsiLocked;
    } else if (turn_on(kRccCr, kRccCrHsiOn, kRccCrHsiRdy) &&
               run_from_pll(kHsiHz, kRccPll1CfgrSrcHsi)) {
      g_clock.source = ClockSource::kHsi;
    } else if (locked) {
      g_clock.source = ClockSource::kMsiLocked;  // no PLL, but no less exact
    }
  }
}

}  // namespace mcugen::stm32
