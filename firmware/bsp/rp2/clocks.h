// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <port/board.h>

#include <cstdint>

namespace mcugen::rp2 {

/// The clock of core, buses and UART as it is.
struct Clock {
  uint32_t hz;
  ClockSource source;
};
extern Clock g_clock;

/// Bring the core to `kBoardConfig.clock_hz` if the hardware lets us; else leave it at the best
/// clock that works. Every wait is bounded.
void clock_init();

/// @returns the cause that the watchdog's REASON register tells, or nullptr.
const char* watchdog_reset_cause();

}  // namespace mcugen::rp2
