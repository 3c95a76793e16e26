// SPDX-License-Identifier: BSD-3-Clause
//
// nRF52840: the core always runs at 64 MHz, from HFXO (a 32 MHz crystal) or from HFINT, which is
// good for a few percent. References: nRF52840 PS v1.7.
#include <bsp/nrf/chip.h>
#include <bsp/nrf/clock_control.h>
#include <bsp/nrf/uarte.h>
#include <port/board.h>
#include <port/cortex_m/registers.h>

namespace mcugen {
namespace nrf {

// PS 4.2.3
constexpr uintptr_t kClockBase = 0x40000000;
constexpr uintptr_t kP0Base = 0x50000000;

// PS 5.3.7.14
constexpr uintptr_t kPowerResetReas = 0x40000400;
constexpr uint32_t kPowerResetReasResetPin = 1u << 0;
constexpr uint32_t kPowerResetReasDog = 1u << 1;
constexpr uint32_t kPowerResetReasSreq = 1u << 2;
constexpr uint32_t kPowerResetReasLockup = 1u << 3;
constexpr uint32_t kWakeups = 0x1Fu << 16;  // from System OFF: OFF, LPCOMP, DIF, NFC, VBUS

constexpr Chip kChip = {kClockBase, kP0Base, kPowerResetReas};

namespace {

// PS 4.3.7.9
constexpr uintptr_t kNvmcIcacheCnf = 0x4001E540;
constexpr uint32_t kNvmcIcacheCnfCacheEn = 1u << 0;

// Access port protection, PS 4.8.1.1 (build codes Fxx and later): closed after each reset, unless
// UICR and then the firmware open it.
constexpr uintptr_t kUicrApprotect = 0x10001208;
constexpr uintptr_t kApprotectDisable = 0x40000558;
constexpr uint32_t kOpen = 0x5A;

ClockSource g_clock_source;
uint32_t g_reset_reasons;

void keep_debug_port_open() {
  if ((reg32(kUicrApprotect) & 0xFF) == kOpen) {
    reg32(kApprotectDisable) = kOpen;
  }
}

}  // namespace
}  // namespace nrf

void board_init() {
  using namespace nrf;
  keep_debug_port_open();
  g_reset_reasons = take_reset_reasons();
  reg32(kNvmcIcacheCnf) = kNvmcIcacheCnfCacheEn;
  g_clock_source = start_hfxo(kBoardConfig.clock_hz);
  uart_init(kBoardConfig.baud);
}

uint32_t board_clock_hz() { return kBoardConfig.clock_hz; }

ClockSource board_clock_source() { return nrf::g_clock_source; }

FlashSetup board_flash_setup() {
  return {-1, false, (reg32(nrf::kNvmcIcacheCnf) & nrf::kNvmcIcacheCnfCacheEn) != 0, false};
}

void board_wait_for_interrupt() { __asm volatile("dsb\n wfi" ::: "memory"); }

const char* board_reset_cause() {
  using namespace nrf;
  if ((g_reset_reasons & kPowerResetReasDog) != 0) {
    return "watchdog";
  }
  if ((g_reset_reasons & (kPowerResetReasSreq | kPowerResetReasLockup)) != 0) {
    return "software";
  }
  if ((g_reset_reasons & kPowerResetReasResetPin) != 0) {
    return "pin";
  }
  // Power-on and brown-out have no bit.
  return (g_reset_reasons & kWakeups) != 0 ? "low-power" : "power";
}

}  // namespace mcugen
