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
#include <bsp/stm32f4/clock.h>
#include <bsp/stm32f4/registers.h>
#include <bsp/stm32f4/uart.h>
#include <port/board.h>
#include <port/cortex_m/registers.h>

#if !defined(MCUGEN_HSE_HZ) || !defined(MCUGEN_HSE_BYPASS) || !defined(MCUGEN_APB1_MAX_HZ) || \
    !defined(MCUGEN_APB2_MAX_HZ) || !defined(MCUGEN_OVERDRIVE_ABOVE_HZ)
#error "The board file must define the macros listed in bsp/stm32f4/README.md"
#endif

namespace mcugen {
namespace stm32f4 {
namespace {

constexpr uint32_t kHsiHz = 16000000;                // RM0390 6.2.2
constexpr uint32_t kHzPerFlashWaitState = 30000000;  // RM0390 table 5, 2.7 to 3.6 V

// A poll is 6 instructions, 9 clocks of HSI at 16 MHz: 56 ms. The slowest thing waited for is a
// crystal (a few ms); PLL and over-drive take some 100 us (DS10693 6.3.8, 6.3.11).
constexpr uint32_t kMaxPolls = 100000;

uint32_t g_clock_hz;
uint32_t g_apb1_clock_hz;
ClockSource g_clock_source;
uint32_t g_reset_flags;

bool wait_for(uintptr_t address, uint32_t mask, uint32_t value) {
  for (uint32_t polls = 0; polls < kMaxPolls; ++polls) {
    if ((reg32(address) & mask) == value) {
      return true;
    }
  }
  return false;
}

void set_bits(uintptr_t address, uint32_t bits) { reg32(address) = reg32(address) | bits; }

void change(uintptr_t address, uint32_t mask, uint32_t value) {
  reg32(address) = (reg32(address) & ~mask) | value;
}

// @returns whether the flash took them.
bool set_flash_wait_states(uint32_t clock_hz) {
  const uint32_t wait_states = (clock_hz - 1) / kHzPerFlashWaitState;
  change(kFlashAcr, kFlashAcrLatencyMask,
         wait_states | kFlashAcrPrftEn | kFlashAcrIcEn | kFlashAcrDcEn);
  // RM0390 3.4.1: read back before the clock goes up.
  return wait_for(kFlashAcr, kFlashAcrLatencyMask, wait_states);
}

// log2 of the smallest divider that brings `hz` to at most `max_hz`.
uint32_t divider_log2(uint32_t hz, uint32_t max_hz) {
  uint32_t log2 = 0;
  while ((hz >> log2) > max_hz && log2 < 4) {
    ++log2;
  }
  return log2;
}

// PPREx: 0 divides by 1, 4 + n by 2^(n+1).
uint32_t ppre_field(uint32_t log2) { return log2 == 0 ? 0 : 3 + log2; }

// Switch SYSCLK; flash and bus dividers are made right for the new clock first. Only for going up,
// which is all that happens after a reset.
bool switch_to(uint32_t source, uint32_t clock_hz) {
  if (!set_flash_wait_states(clock_hz)) {
    return false;  // what it reads at a higher clock is not what it holds
  }
  const uint32_t apb1_log2 = divider_log2(clock_hz, MCUGEN_APB1_MAX_HZ);
  const uint32_t apb2_log2 = divider_log2(clock_hz, MCUGEN_APB2_MAX_HZ);
  change(kRccCfgr,
         kRccCfgrHpreMask | kRccCfgrPpreMask << kRccCfgrPpre1Pos |
             kRccCfgrPpreMask << kRccCfgrPpre2Pos,
         ppre_field(apb1_log2) << kRccCfgrPpre1Pos | ppre_field(apb2_log2) << kRccCfgrPpre2Pos);
  g_apb1_clock_hz = g_clock_hz >> apb1_log2;  // right even if the switch fails
  change(kRccCfgr, kRccCfgrSwMask, source);
  if (!wait_for(kRccCfgr, kRccCfgrSwMask << kRccCfgrSwsPos, source << kRccCfgrSwsPos)) {
    change(kRccCfgr, kRccCfgrSwMask, kRccCfgrSwHsi);
    return false;
  }
  g_clock_hz = clock_hz;
  g_apb1_clock_hz = clock_hz >> apb1_log2;
  return true;
}

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
  set_bits(kRccCr, kRccCrPllOn);
  if (!wait_for(kRccCr, kRccCrPllRdy, kRccCrPllRdy)) {
    change(kRccCr, kRccCrPllOn, 0);
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

void clock_init() {
  g_clock_hz = kHsiHz;  // out of reset: RM0390 6.2.2
  g_apb1_clock_hz = kHsiHz;
  g_clock_source = ClockSource::kHsi;

  if (reg32(kRccCr) == 0) {
    // HSION and HSIRDY are set whenever this code runs from a real F4: RCC is not there, we are on
    // a simulator. Its SysTick runs at a clock of its own choice. QEMU's STM32F4 machines tell it
    // in SYST_CALIB, as the count of 10 ms of the reference clock, which is HCLK / 8.
    const uint32_t tenms = reg32(kSystCalib) & kSystCalibTenms;
    if (tenms != 0) {
      g_clock_hz = (tenms + 1) * 100 * 8;
      g_apb1_clock_hz = g_clock_hz;
      g_clock_source = ClockSource::kFixed;
    }
    return;
  }

  g_reset_flags = reg32(kRccCsr);
  set_bits(kRccCsr, kRccCsrRmvf);

  // A bootloader may have left the PLL running; it must not be changed while SYSCLK uses it.
  set_bits(kRccCr, kRccCrHsiOn);
  wait_for(kRccCr, kRccCrHsiRdy, kRccCrHsiRdy);
  change(kRccCfgr, kRccCfgrSwMask, kRccCfgrSwHsi);
  wait_for(kRccCfgr, kRccCfgrSwMask << kRccCfgrSwsPos, kRccCfgrSwHsi);
  change(kRccCr, kRccCrPllOn, 0);
  wait_for(kRccCr, kRccCrPllRdy, 0);

  set_bits(kRccCr, MCUGEN_HSE_BYPASS ? kRccCrHseByp : 0);  // to be set before HSEON
  set_bits(kRccCr, kRccCrHseOn);
  const bool hse = wait_for(kRccCr, kRccCrHseRdy, kRccCrHseRdy);
  if (!hse) {
    change(kRccCr, kRccCrHseOn, 0);
  }

  const bool pll = hse ? start_pll(MCUGEN_HSE_HZ, kRccPllCfgrSrcHse) : start_pll(kHsiHz, 0);
  if (pll && switch_to(kRccCfgrSwPll, kBoardConfig.clock_hz)) {
    g_clock_source = hse ? ClockSource::kPll : ClockSource::kHsi;
  } else if (hse && switch_to(kRccCfgrSwHse, MCUGEN_HSE_HZ)) {
    g_clock_source = ClockSource::kHse;
  }
}

uint32_t apb1_clock_hz() { return g_apb1_clock_hz; }

}  // namespace stm32f4

void board_init() {
  stm32f4::clock_init();
  stm32f4::uart_init(kBoardConfig.baud);
}

uint32_t board_clock_hz() { return stm32f4::g_clock_hz; }

ClockSource board_clock_source() { return stm32f4::g_clock_source; }

// ES0182 2.1.3, and its like for other STM32, on debugging sleep mode with WFI entry: with
// DBG_SLEEP set in DBGMCU_CR, which OpenOCD does and which stays until power is cut, a core that
// wakes may run something else than what stands behind a WFI at certain addresses. So WFI starts a
// line of flash (128 bits, RM0390 3.4.2), and what follows it in that line does nothing.
[[gnu::noinline]] void board_wait_for_interrupt() {
  __asm volatile(
      "dsb\n"
      ".balign 16\n"
      "wfi\n"
      "isb\n"
      "nop\n"
      "nop\n"
      "nop\n" ::
          : "memory");  // dsb, padding, then 12 bytes
}

const char* board_reset_cause() {
  using namespace stm32f4;
  const uint32_t flags = g_reset_flags;
  // Every reset also pulls the pin, and power-on sets more than its own flag: most telling first
  // (RM0390 6.3.21).
  if ((flags & (kRccCsrIwdgRst | kRccCsrWwdgRst)) != 0) {
    return "watchdog";
  }
  if ((flags & kRccCsrSftRst) != 0) {
    return "software";
  }
  if ((flags & kRccCsrLpwrRst) != 0) {
    return "low-power";
  }
  if ((flags & kRccCsrPorRst) != 0) {
    return "power";
  }
  if ((flags & kRccCsrBorRst) != 0) {
    return "brown-out";  // supply fell below the BOR threshold, not to nothing
  }
  return (flags & kRccCsrPinRst) != 0 ? "pin" : nullptr;
}

}  // namespace mcugen
