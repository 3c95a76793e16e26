// SPDX-License-Identifier: BSD-3-Clause
//
// References: RP2040 datasheet.
#include <bsp/rp2/chip.h>
#include <bsp/rp2/clocks.h>
#include <bsp/rp2/pl011.h>
#include <bsp/rp2040/boot2.h>
#include <port/board.h>
#include <port/cortex_m/registers.h>

namespace mcugen {
namespace rp2 {

// RP2040 datasheet 2.2.5, 2.2.6
constexpr uintptr_t kClocksBase = 0x40008000;
constexpr uintptr_t kResetsBase = 0x4000C000;
constexpr uintptr_t kXoscBase = 0x40024000;
constexpr uintptr_t kPllSysBase = 0x40028000;
constexpr uintptr_t kIoBank0Base = 0x40014000;
constexpr uintptr_t kPadsBank0Base = 0x4001C000;
constexpr uintptr_t kWatchdogBase = 0x40058000;

// Bits of RESETS: 2.14.3; ROSC: 2.17.1
constexpr Chip kChip = {
    .clocks = kClocksBase,
    .resets = kResetsBase,
    .xosc = kXoscBase,
    .pll_sys = kPllSysBase,
    .io_bank0 = kIoBank0Base,
    .pads_bank0 = kPadsBank0Base,
    .watchdog = kWatchdogBase,
    .reset_io_bank0 = 1u << 5,
    .reset_pads_bank0 = 1u << 8,
    .reset_pll_sys = 1u << 12,
    .reset_uart0 = 1u << 22,
    .divide_by_1 = 1u << 8,
    .rosc_hz = 6500000,
};

// boot2.s has divided the flash's clock as the fastest core clock wants it.
void prepare_flash(uint32_t) {}

namespace {

// RP2040 datasheet 2.10.8
constexpr uintptr_t kVregAndChipResetChipReset = 0x40064008;
constexpr uint32_t kVregAndChipResetChipResetHadPor = 1u << 8;  // power-on or brown-out
constexpr uint32_t kVregAndChipResetChipResetHadRun = 1u << 16;
constexpr uint32_t kVregAndChipResetChipResetHadPsmRestart = 1u << 20;  // by a debugger

// RP2040 datasheet 2.6.3.6
constexpr uintptr_t kXipCtrl = 0x14000000;
constexpr uint32_t kXipCtrlEn = 1u << 0;

}  // namespace
}  // namespace rp2

FlashSetup board_flash_setup() {
  const bool on = (reg32(rp2::kXipCtrl) & rp2::kXipCtrlEn) != 0;
  return {-1, false, on, on};
}

const char* board_reset_cause() {
  using namespace rp2;
  const char* cause = watchdog_reset_cause();
  if (cause != nullptr) {
    return cause;
  }
  const uint32_t flags = reg32(kVregAndChipResetChipReset);
  if ((flags & kVregAndChipResetChipResetHadPsmRestart) != 0) {
    return "software";
  }
  if ((flags & kVregAndChipResetChipResetHadRun) != 0) {
    return "pin";
  }
  return (flags & kVregAndChipResetChipResetHadPor) != 0 ? "power" : nullptr;
}

}  // namespace mcugen
