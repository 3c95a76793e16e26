// SPDX-License-Identifier: BSD-3-Clause
#include <bsp/stm32/family.h>

namespace mcugen {
namespace stm32 {

Clock g_clock;

void all_clocks(uint32_t hz, ClockSource source) {
  g_clock.core_hz = hz;
  for (uint32_t& bus_hz : g_clock.bus_hz) {
    bus_hz = hz;
  }
  g_clock.source = source;
}

}  // namespace stm32

void board_init() {
  stm32::clock_init();
  stm32::uart_init(kBoardConfig.baud);
}

uint32_t board_clock_hz() { return stm32::g_clock.core_hz; }

ClockSource board_clock_source() { return stm32::g_clock.source; }

FlashSetup board_flash_setup() {
  if (stm32::g_clock.source == ClockSource::kFixed) {
    return {-1, false, false, false};  // a simulator without RCC has no FLASH_ACR either
  }
  return stm32::flash_setup();
}

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
  using namespace stm32;
  // Every reset also pulls the pin, and power-on sets more than its own flag: most telling first.
  const struct {
    uint32_t bits;
    const char* name;
  } causes[] = {
      {kResetBits.watchdog, "watchdog"},
      {kResetBits.software, "software"},
      {kResetBits.low_power, "low-power"},
      {kResetBits.power, "power"},
      {kResetBits.brown_out, "brown-out"},  // supply fell below a threshold, not to nothing
      {kResetBits.pin, "pin"},
  };
  for (const auto& cause : causes) {
    if ((g_clock.reset_flags & cause.bits) != 0) {
      return cause.name;
    }
  }
  return nullptr;
}

}  // namespace mcugen
