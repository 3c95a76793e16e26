// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>

/// Time in core clocks. DWT's CYCCNT is used where it is there and really counts; SysTick
/// elsewhere (M0+, QEMU). Both run at the core clock and are extended to 64 bit by SysTick's
/// interrupt, so an interval of any length is counted right while interrupts are on.

namespace mcugen {

enum class CounterKind : uint8_t {
  kNone,     ///< Nothing counts: ticks are always 0 and must be shown as unavailable.
  kDwt,      ///< DWT CYCCNT: core cycles.
  kSystick,  ///< SysTick at the core clock. Under QEMU -icount: instructions, see bsp/*/README.md.
};

/// Start the counters and test that they advance. Called once by the startup code after
/// `board_init()`.
void cycle_counter_init();

/// @returns the counter that passed its self-test.
CounterKind cycle_counter_kind();

/// @returns ticks per second: the core clock that is really set.
uint32_t cycle_counter_hz();

/// Begin an interval. SysTick is restarted, so that the same code gives the same number of ticks
/// whatever the phase of the counter was.
/// @returns false when no counter runs; `cycle_counter_elapsed()` then returns 0.
bool cycle_counter_start();

/// @returns ticks since `cycle_counter_start()`, including the cost of the two calls themselves
///     (`cycle_counter_empty()`).
uint64_t cycle_counter_elapsed();

/// @returns what start directly followed by elapsed gives: the smallest of a few tries.
uint64_t cycle_counter_empty();

/// @returns ticks since boot, never going back. Restarting for an interval loses up to one tick.
uint64_t cycle_counter_now();

/// @returns microseconds since boot, from SysTick.
uint64_t uptime_us();

}  // namespace mcugen
