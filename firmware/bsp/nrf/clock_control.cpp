// SPDX-License-Identifier: BSD-3-Clause
//
// CLOCK of nRF52840 (PS v1.7 5.4) and nRF5340 (PS v1.5 4.11): the registers used have the same
// offsets.
#include <bsp/nrf/chip.h>
#include <bsp/nrf/clock_control.h>
#include <port/cortex_m/registers.h>

namespace mcugen::nrf {
namespace {

constexpr uintptr_t kClockTasksHfclkStart = 0x000;
constexpr uintptr_t kClockHfclkStat = 0x40C;
constexpr uint32_t kClockHfclkStatSrc = 1u << 0;
constexpr uint32_t kClockHfclkStatState = 1u << 16;

// HFXO takes 0.36 ms (nRF52840 PS 5.4.4.3) or as long as UICR.HFXOCNT says, 16 ms at most (nRF5340
// PS 4.11.3). A poll is 9 clocks or more: 45 ms.
constexpr uint32_t kClocksPerPoll = 200;

}  // namespace

ClockSource start_hfxo(uint32_t core_hz) {
  reg32(kChip.clock + kClockTasksHfclkStart) = 1;
  const uint32_t running = kClockHfclkStatSrc | kClockHfclkStatState;
  return wait_for(kChip.clock + kClockHfclkStat, running, running, core_hz / kClocksPerPoll)
             ? ClockSource::kPll
             : ClockSource::kHfint;
}

uint32_t take_reset_reasons() {
  const uint32_t reasons = reg32(kChip.reasons);
  reg32(kChip.reasons) = reasons;
  return reasons;
}

}  // namespace mcugen::nrf
