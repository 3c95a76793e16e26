// SPDX-License-Identifier: BSD-3-Clause
//
// References: RP2350 datasheet.
#include <bsp/rp2/chip.h>
#include <bsp/rp2/clocks.h>
#include <bsp/rp2/pl011.h>
#include <bsp/rp2350/image_def.h>
#include <port/board.h>
#include <port/cortex_m/registers.h>

namespace mcugen {
namespace rp2 {

// RP2350 datasheet 2.2.4
constexpr uintptr_t kClocksBase = 0x40010000;
constexpr uintptr_t kResetsBase = 0x40020000;
constexpr uintptr_t kXoscBase = 0x40048000;
constexpr uintptr_t kPllSysBase = 0x40050000;
constexpr uintptr_t kIoBank0Base = 0x40028000;
constexpr uintptr_t kPadsBank0Base = 0x40038000;
constexpr uintptr_t kWatchdogBase = 0x400D8000;

// Bits of RESETS: 7.5.3; ROSC: 8.3.1
constexpr Chip kChip = {
    .clocks = kClocksBase,
    .resets = kResetsBase,
    .xosc = kXoscBase,
    .pll_sys = kPllSysBase,
    .io_bank0 = kIoBank0Base,
    .pads_bank0 = kPadsBank0Base,
    .watchdog = kWatchdogBase,
    .reset_io_bank0 = 1u << 6,
    .reset_pads_bank0 = 1u << 9,
    .reset_pll_sys = 1u << 14,
    .reset_uart0 = 1u << 26,
    .divide_by_1 = 1u << 16,
    .rosc_hz = 11000000,
};

namespace {

// RP2350 datasheet 6.4
constexpr uintptr_t kPowmanChipReset = 0x4010002C;
constexpr uint32_t kPowmanChipResetHadPor = 1u << 16;
constexpr uint32_t kPowmanChipResetHadBor = 1u << 17;
constexpr uint32_t kPowmanChipResetHadRunLow = 1u << 18;
constexpr uint32_t kPowmanChipResetHadDebug =
    1u << 19 | 1u << 21 | 1u << 27;  // DP_RESET_REQ, RESCUE, HZD_SYS
constexpr uint32_t kPowmanChipResetHadWatchdog = 1u << 22 | 1u << 23 | 1u << 24 | 1u << 28;

// RP2350 datasheet 12.14.6
constexpr uintptr_t kQmiM0Timing = 0x400D000C;
constexpr uint32_t kQmiM0TimingClkDivMask = 0xFF;  // 0 divides by 256

// RP2350 datasheet 4.4.5
constexpr uintptr_t kXipCtrl = 0x400C8000;
constexpr uint32_t kXipCtrlEnSecure = 1u << 0;

constexpr uintptr_t kFlashUncached = 0x14000000;  // RP2350 datasheet 4.4.1

// What the flash of the supported boards takes in the slowest mode that the boot ROM may have left
// it in (03h, one bit; W25Q32RV, AC characteristics).
constexpr uint32_t kFlashMaxHz = 50000000;

}  // namespace

// The boot ROM tries modes of the flash (5.2.4) and enters the image in the first that works. Its
// divider is kept, unless the new clock would be too much. CLKDIV alone may be changed while the
// flash is in use (12.14.6); a read that the cache does not answer makes it take effect.
void prepare_flash(uint32_t clock_hz) {
  const uint32_t timing = reg32(kQmiM0Timing);
  const uint32_t divider = timing & kQmiM0TimingClkDivMask;
  const uint32_t least = (clock_hz + kFlashMaxHz - 1) / kFlashMaxHz;
  if (divider != 0 && divider < least) {
    reg32(kQmiM0Timing) = (timing & ~kQmiM0TimingClkDivMask) | least;
    __asm volatile("dsb" ::: "memory");
    read_back(kFlashUncached);
    __asm volatile("dsb" ::: "memory");
  }
}

}  // namespace rp2

FlashSetup board_flash_setup() {
  const bool on = (reg32(rp2::kXipCtrl) & rp2::kXipCtrlEnSecure) != 0;
  return {-1, false, on, on};
}

const char* board_reset_cause() {
  using namespace rp2;
  const char* cause = watchdog_reset_cause();
  if (cause != nullptr) {
    return cause;
  }
  const uint32_t flags = reg32(kPowmanChipReset);
  if ((flags & kPowmanChipResetHadWatchdog) != 0) {
    return "watchdog";
  }
  if ((flags & kPowmanChipResetHadDebug) != 0) {
    return "software";
  }
  if ((flags & kPowmanChipResetHadRunLow) != 0) {
    return "pin";
  }
  if ((flags & kPowmanChipResetHadBor) != 0) {
    return "brown-out";
  }
  return (flags & kPowmanChipResetHadPor) != 0 ? "power" : nullptr;
}

}  // namespace mcugen
