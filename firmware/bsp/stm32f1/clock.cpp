// SPDX-License-Identifier: BSD-3-Clause
//
// The clock tree of a Nucleo-F103RB (clock_hz = 72 MHz):
//
//   HSE 8 MHz (ST-LINK's MCO, bypass)        MCUGEN_HSE_HZ               RM0008 7.2.1
//     * 9   -> 72 MHz SYSCLK, HCLK           AHB prescaler 1             RM0008 7.3.2
//   APB1 / 2 -> 36 MHz  PCLK1                at most 36 MHz              RM0008 7.2
//   APB2 / 1 -> 72 MHz  PCLK2                at most 72 MHz              RM0008 7.2
//   Flash: 2 wait states (one per 24 MHz), prefetch buffer               PM0075 3.1
//
// HSE missing: HSI (8 MHz / 2) * 16 = 64 MHz, the most it can make. PLL missing: HSE, else HSI,
// directly.
#include <bsp/stm32/access.h>
#include <bsp/stm32/sysclk.h>
#include <bsp/stm32f1/registers.h>

#if !defined(MCUGEN_HSE_HZ) || !defined(MCUGEN_HSE_BYPASS)
#error "The board file must define the macros listed in bsp/stm32f1/README.md"
#endif

namespace mcugen::stm32 {
namespace {

using namespace stm32f1;

constexpr uint32_t kHsiHz = 8000000;  // RM0008 7.2.2
constexpr uint32_t kPllMulMin = 2;
constexpr uint32_t kPllMulMax = 16;

constexpr Sysclk kSysclk = {
    kRccCfgr,
    2,
    kRccCfgrSwsPos,
    kRccCfgrHprePos,
    {{kRccCfgrPpre1Pos, 36000000}, {kRccCfgrPpre2Pos, 72000000}},
    kRccCfgrSwHsi,
};

// Lock the PLL at `factor` times its input.
bool start_pll(uint32_t factor, uint32_t source) {
  if (factor < kPllMulMin || factor > kPllMulMax) {
    return false;
  }
  change(kRccCfgr, kRccCfgrPllSrcMask | kRccCfgrPllXtpre | kRccCfgrPllMulMask << kRccCfgrPllMulPos,
         source | (factor - 2) << kRccCfgrPllMulPos);
  return turn_on(kRccCr, kRccCrPllOn, kRccCrPllRdy);
}

}  // namespace

const ResetBits kResetBits = {
    // RM0008 7.3.10
    kRccCsrIwdgRst | kRccCsrWwdgRst,
    kRccCsrSftRst,
    kRccCsrLpwrRst,
    kRccCsrPorRst,
    0,  // a supply that falls too low is a power-on reset
    kRccCsrPinRst,
};

bool set_flash_wait_states(uint32_t clock_hz) {
  const uint32_t wait_states = (clock_hz - 1) / MCUGEN_FLASH_STEP_HZ;
  // The prefetch buffer is on since the reset, and may only be switched below 24 MHz.
  change(kFlashAcr, kFlashAcrLatencyMask, wait_states | kFlashAcrPrftbE);
  return wait_for(kFlashAcr, kFlashAcrLatencyMask, wait_states);
}

FlashSetup flash_setup() {
  const uint32_t acr = reg32(kFlashAcr);
  return {static_cast<int>(acr & kFlashAcrLatencyMask), (acr & kFlashAcrPrftbS) != 0, false, false};
}

void clock_init() {
  all_clocks(kHsiHz, ClockSource::kHsi);
  g_clock.reset_flags = reg32(kRccCsr);
  set_bits(kRccCsr, kRccCsrRmvf);

  set_bits(kRccCr, kRccCrHsiOn);
  wait_for(kRccCr, kRccCrHsiRdy, kRccCrHsiRdy);
  reset_sysclk(kSysclk);
  change(kRccCr, kRccCrPllOn, 0);
  wait_for(kRccCr, kRccCrPllRdy, 0);

  set_bits(kRccCr, MCUGEN_HSE_BYPASS ? kRccCrHseByp : 0);  // to be set before HSEON
  const bool hse = turn_on(kRccCr, kRccCrHseOn, kRccCrHseRdy);
  const uint32_t input_hz = hse ? MCUGEN_HSE_HZ : kHsiHz / 2;
  uint32_t factor = kBoardConfig.clock_hz / input_hz;
  if (factor > kPllMulMax) {
    factor = kPllMulMax;
  }
  const bool pll = start_pll(factor, hse ? kRccCfgrPllSrcMask : 0);
  if (pll && switch_sysclk(kSysclk, kRccCfgrSwPll, factor * input_hz)) {
    g_clock.source = hse ? ClockSource::kPll : ClockSource::kHsi;
  } else if (hse && switch_sysclk(kSysclk, kRccCfgrSwHse, MCUGEN_HSE_HZ)) {
    g_clock.source = ClockSource::kHse;
  }
}

}  // namespace mcugen::stm32
