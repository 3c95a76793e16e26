// SPDX-License-Identifier: BSD-3-Clause
//
// nRF5340, application core, in the secure state: the core runs at 128 MHz (HFCLKCTRL, 64 MHz after
// a reset), from HFXO (a 32 MHz crystal) or from HFINT, which is good for a few percent.
// References: nRF5340 PS v1.5.
#include <bsp/nrf/chip.h>
#include <bsp/nrf/clock_control.h>
#include <bsp/nrf/uarte.h>
#include <port/board.h>
#include <port/cortex_m/registers.h>

namespace mcugen {
namespace nrf {

// Secure aliases, PS 4.11, 7.15, 7.29: tables of instances. GPIO's registers, which other families
// have from 0x500 on, begin at 0x50842500.
constexpr uintptr_t kClockBase = 0x50005000;
constexpr uintptr_t kP0Base = 0x50842500;
constexpr uint32_t kP0Before = 0x500;

// PS 7.29.5
constexpr uintptr_t kResetResetReas = 0x50005400;
constexpr uint32_t kResetResetReasResetPin = 1u << 0;
constexpr uint32_t kResetResetReasDog0 = 1u << 1;
constexpr uint32_t kResetResetReasCtrlAp = 1u << 2;
constexpr uint32_t kResetResetReasSreq = 1u << 3;
constexpr uint32_t kResetResetReasLockup = 1u << 4;
constexpr uint32_t kResetResetReasDog1 = 1u << 25;
constexpr uint32_t kWakeups =  // from System OFF: OFF, LPCOMP, DIF, NFC, VBUS
    1u << 5 | 1u << 6 | 1u << 7 | 1u << 24 | 1u << 26;

constexpr Chip kChip = {kClockBase, kP0Base - kP0Before, kResetResetReas};

namespace {

constexpr uint32_t kFullSpeedHz = 128000000;

// PS 4.11.4
constexpr uintptr_t kClockHfclkCtrl = 0x50005558;
constexpr uint32_t kClockHfclkCtrlHclkMask = 3;
constexpr uint32_t kClockHfclkCtrlDiv1 = 0;
constexpr uint32_t kClockHfclkCtrlDiv2 = 1;

// For code and data in flash, PS 7.5.2
constexpr uintptr_t kCacheEnable = 0x50001500;
constexpr uint32_t kCacheEnableEnable = 1u << 0;

// Register addresses and what is to be written there, up to an erased one, PS 7.12
constexpr uintptr_t kFicrTrimCnf = 0x00FF0300;
constexpr uint32_t kNumTrimCnf = 32;
constexpr uint32_t kErased = 0xFFFFFFFF;

// Access port protection, PS 8.7: closed after each reset, unless UICR and then the firmware open
// it, by the same key.
constexpr uintptr_t kUicrApprotect = 0x00FF8000;
constexpr uintptr_t kUicrSecureApprotect = 0x00FF801C;
constexpr uintptr_t kCtrlApApprotectDisable = 0x50006544;
constexpr uintptr_t kCtrlApSecureApprotectDisable = 0x5000654C;
constexpr uint32_t kOpen = 0x50FA50FA;

ClockSource g_clock_source;
uint32_t g_clock_hz;
uint32_t g_reset_reasons;

void keep_debug_port_open() {
  if (reg32(kUicrApprotect) == kOpen) {
    reg32(kCtrlApApprotectDisable) = kOpen;
  }
  if (reg32(kUicrSecureApprotect) == kOpen) {
    reg32(kCtrlApSecureApprotectDisable) = kOpen;
  }
}

void apply_factory_trim() {
  for (uint32_t i = 0; i < kNumTrimCnf; ++i) {
    const uint32_t address = reg32(kFicrTrimCnf + 8 * i);
    if (address == 0 || address == kErased) {
      return;
    }
    reg32(address) = reg32(kFicrTrimCnf + 8 * i + 4);
  }
}

void set_core_clock() {
  const bool full = kBoardConfig.clock_hz == kFullSpeedHz;
  reg32(kClockHfclkCtrl) = full ? kClockHfclkCtrlDiv1 : kClockHfclkCtrlDiv2;
  const uint32_t divider = reg32(kClockHfclkCtrl) & kClockHfclkCtrlHclkMask;
  g_clock_hz = divider == kClockHfclkCtrlDiv1 ? kFullSpeedHz : kFullSpeedHz / 2;
}

}  // namespace
}  // namespace nrf

void board_init() {
  using namespace nrf;
  keep_debug_port_open();
  apply_factory_trim();
  g_reset_reasons = take_reset_reasons();
  reg32(kCacheEnable) = kCacheEnableEnable;
  set_core_clock();
  g_clock_source = start_hfxo(g_clock_hz);
  uart_init(kBoardConfig.baud);
}

uint32_t board_clock_hz() { return nrf::g_clock_hz; }

ClockSource board_clock_source() { return nrf::g_clock_source; }

FlashSetup board_flash_setup() {
  const bool on = (reg32(nrf::kCacheEnable) & nrf::kCacheEnableEnable) != 0;
  return {-1, false, on, on};
}

// No WFI: anomaly 160 asks for no more than five sleeps in 200 us and writes to registers that have
// no description, anomaly 168 for instructions behind each WFI at 128 MHz. The caller's loop polls.
void board_wait_for_interrupt() {}

const char* board_reset_cause() {
  using namespace nrf;
  if ((g_reset_reasons & (kResetResetReasDog0 | kResetResetReasDog1)) != 0) {
    return "watchdog";
  }
  if ((g_reset_reasons & (kResetResetReasSreq | kResetResetReasLockup | kResetResetReasCtrlAp)) !=
      0) {
    return "software";
  }
  if ((g_reset_reasons & kResetResetReasResetPin) != 0) {
    return "pin";
  }
  // Power-on and brown-out have no bit.
  return (g_reset_reasons & kWakeups) != 0 ? "low-power" : "power";
}

}  // namespace mcugen
