// SPDX-License-Identifier: BSD-3-Clause
//
// The clock tree, on a Pico (133 MHz) and a Pico 2 (150 MHz). Sections are those of the RP2040
// datasheet and, behind a comma, of the RP2350 datasheet.
//
//   XOSC 12 MHz                            MCUGEN_XOSC_HZ         2.16, 8.2
//     * FBDIV = 133, 125  -> 1596, 1500 MHz  VCO: 750 to 1600 MHz  2.18, 8.6
//     / (6 * 2), (5 * 2)  -> 133, 150 MHz    clk_sys               2.15, 8.1
//   clk_peri = clk_sys                       UART0
//
// XOSC missing: the ring oscillator, which the chip boots from. PLL missing: XOSC.
#include <bsp/rp2/chip.h>
#include <bsp/rp2/clocks.h>
#include <bsp/rp2/pl011.h>
#include <port/cortex_m/registers.h>

namespace mcugen {
namespace rp2 {

Clock g_clock;

namespace {

// RESETS, 2.14.3, 7.5.3
constexpr uintptr_t kResetsReset = 0x0;
constexpr uintptr_t kResetsResetDone = 0x8;

// XOSC, 2.16.7, 8.2.8
constexpr uintptr_t kXoscCtrl = 0x00;
constexpr uint32_t kXoscCtrlRange1To15MHz = 0xAA0;
constexpr uint32_t kXoscCtrlEnable = 0xFABu << 12;
constexpr uintptr_t kXoscStatus = 0x04;
constexpr uint32_t kXoscStatusStable = 1u << 31;
constexpr uintptr_t kXoscStartup = 0x0C;  // in 256 periods of the crystal
static_assert(MCUGEN_XOSC_HZ >= 1000000 && MCUGEN_XOSC_HZ <= 15000000, "XOSC_CTRL, FREQ_RANGE");

// PLL, 2.18.4, 8.6.5
constexpr uintptr_t kPllSysCs = 0x0;
constexpr uint32_t kPllSysCsLock = 1u << 31;
constexpr uintptr_t kPllSysPwr = 0x4;
constexpr uint32_t kPllSysPwrPd = 1u << 0;
constexpr uint32_t kPllSysPwrPostDivPd = 1u << 3;
constexpr uint32_t kPllSysPwrVcoPd = 1u << 5;
constexpr uintptr_t kPllSysFbdivInt = 0x8;
constexpr uintptr_t kPllSysPrim = 0xC;
constexpr uint32_t kPllSysPrimPostDiv1Pos = 16;
constexpr uint32_t kPllSysPrimPostDiv2Pos = 12;
constexpr uint32_t kVcoMinHz = 750000000;
constexpr uint32_t kVcoMaxHz = 1600000000;
constexpr uint32_t kFbdivMin = 16;
constexpr uint32_t kFbdivMax = 320;

// CLOCKS, 2.15.7, 8.1.6. A SELECTED register has a bit for each source: that of the running one.
constexpr uintptr_t kClocksClkRefCtrl = 0x30;
constexpr uintptr_t kClocksClkRefDiv = 0x34;
constexpr uint32_t kClocksClkRefCtrlRosc = 0;
constexpr uint32_t kClocksClkRefCtrlXosc = 2;
constexpr uintptr_t kClocksClkRefSelected = 0x38;
constexpr uintptr_t kClocksClkSysCtrl = 0x3C;
constexpr uint32_t kClocksClkSysCtrlRef = 0;
constexpr uint32_t kClocksClkSysCtrlAux = 1;  // AUXSRC 0, bits 7:5: PLL_SYS
constexpr uintptr_t kClocksClkSysDiv = 0x40;
constexpr uintptr_t kClocksClkSysSelected = 0x44;
constexpr uintptr_t kClocksClkPeriCtrl = 0x48;
constexpr uint32_t kClocksClkPeriCtrlEnable = 1u << 11;  // AUXSRC 0, bits 7:5: clk_sys

// WATCHDOG, 4.7.6, 12.9.7
constexpr uintptr_t kWatchdogReason = 0x8;
constexpr uint32_t kWatchdogReasonTimer = 1u << 0;
constexpr uint32_t kWatchdogReasonForce = 1u << 1;

// At least 26 ms at 24 MHz, the fastest that anything is waited for at (RP2350 datasheet 8.3.1): a
// poll is 9 clocks or more. A crystal takes a few ms, a PLL some 100 us.
constexpr uint32_t kMaxPolls = 70000;

bool select(uintptr_t ctrl, uintptr_t selected, uint32_t source) {
  reg32(kChip.clocks + ctrl) = source;
  return wait_for(kChip.clocks + selected, 1u << source, 1u << source, kMaxPolls);
}

bool start_xosc() {
  reg32(kChip.xosc + kXoscStartup) = (MCUGEN_XOSC_HZ / 1000 + 128) / 256;  // 1 ms
  reg32(kChip.xosc + kXoscCtrl) = kXoscCtrlEnable | kXoscCtrlRange1To15MHz;
  return wait_for(kChip.xosc + kXoscStatus, kXoscStatusStable, kXoscStatusStable, kMaxPolls);
}

struct Dividers {
  uint32_t feedback;  // 0: the PLL cannot make the clock
  uint32_t post1;
  uint32_t post2;
};

// The highest VCO clock has the least jitter (2.18.2), and POSTDIV1 is not below POSTDIV2.
Dividers pll_dividers(uint32_t clock_hz) {
  Dividers best = {};
  for (uint32_t post1 = 1; post1 <= 7; ++post1) {
    for (uint32_t post2 = 1; post2 <= post1; ++post2) {
      const uint32_t vco_hz =
          clock_hz <= kVcoMaxHz / (post1 * post2) ? clock_hz * post1 * post2 : 0;
      const uint32_t feedback = vco_hz / MCUGEN_XOSC_HZ;
      if (vco_hz >= kVcoMinHz && vco_hz % MCUGEN_XOSC_HZ == 0 && feedback >= kFbdivMin &&
          feedback <= kFbdivMax && feedback > best.feedback) {
        best = {feedback, post1, post2};
      }
    }
  }
  return best;
}

bool start_pll(uint32_t clock_hz) {
  const Dividers dividers = pll_dividers(clock_hz);
  if (dividers.feedback == 0 || !reset_anew(kChip.reset_pll_sys)) {
    return false;
  }
  reg32(kChip.pll_sys + kPllSysCs) = 1;  // REFDIV
  reg32(kChip.pll_sys + kPllSysFbdivInt) = dividers.feedback;
  reg32(kChip.pll_sys + kPllSysPwr + kAliasClear) = kPllSysPwrPd | kPllSysPwrVcoPd;
  if (!wait_for(kChip.pll_sys + kPllSysCs, kPllSysCsLock, kPllSysCsLock, kMaxPolls)) {
    return false;
  }
  reg32(kChip.pll_sys + kPllSysPrim) =
      dividers.post1 << kPllSysPrimPostDiv1Pos | dividers.post2 << kPllSysPrimPostDiv2Pos;
  reg32(kChip.pll_sys + kPllSysPwr + kAliasClear) = kPllSysPwrPostDivPd;
  return true;
}

}  // namespace

bool leave_reset(uint32_t bits) {
  reg32(kChip.resets + kResetsReset + kAliasClear) = bits;
  return wait_for(kChip.resets + kResetsResetDone, bits, bits, kMaxPolls);
}

bool reset_anew(uint32_t bits) {
  reg32(kChip.resets + kResetsReset + kAliasSet) = bits;
  return leave_reset(bits);
}

void clock_init() {
  g_clock = {kChip.rosc_hz, ClockSource::kRosc};
  // A debugger resets the core alone: the PLL may be running and must not be changed while it is
  // used. The RP2350's boot ROM may let clk_sys run at a multiple of clk_ref, which keeps the
  // frequency that the ring oscillator has by itself (8.3.1).
  select(kClocksClkSysCtrl, kClocksClkSysSelected, kClocksClkSysCtrlRef);
  reg32(kChip.clocks + kClocksClkSysDiv) = kChip.divide_by_1;
  select(kClocksClkRefCtrl, kClocksClkRefSelected, kClocksClkRefCtrlRosc);
  if (start_xosc() && select(kClocksClkRefCtrl, kClocksClkRefSelected, kClocksClkRefCtrlXosc)) {
    reg32(kChip.clocks + kClocksClkRefDiv) = kChip.divide_by_1;
    g_clock = {MCUGEN_XOSC_HZ, ClockSource::kHse};
    if (start_pll(kBoardConfig.clock_hz)) {
      prepare_flash(kBoardConfig.clock_hz);
      if (select(kClocksClkSysCtrl, kClocksClkSysSelected, kClocksClkSysCtrlAux)) {
        g_clock = {kBoardConfig.clock_hz, ClockSource::kPll};
      } else {
        select(kClocksClkSysCtrl, kClocksClkSysSelected, kClocksClkSysCtrlRef);
      }
    }
  }
  reg32(kChip.clocks + kClocksClkPeriCtrl) = kClocksClkPeriCtrlEnable;
}

const char* watchdog_reset_cause() {
  const uint32_t reason = reg32(kChip.watchdog + kWatchdogReason);
  if ((reason & kWatchdogReasonTimer) != 0) {
    return "watchdog";
  }
  return (reason & kWatchdogReasonForce) != 0 ? "software" : nullptr;
}

}  // namespace rp2

void board_init() {
  rp2::clock_init();
  rp2::uart_init(kBoardConfig.baud);
}

uint32_t board_clock_hz() { return rp2::g_clock.hz; }

ClockSource board_clock_source() { return rp2::g_clock.source; }

void board_wait_for_interrupt() { __asm volatile("dsb\n wfi" ::: "memory"); }

}  // namespace mcugen
