// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>

namespace mcugen {

/// Facts of the board, from `boards/<id>.toml`. Defined by the generated `board_config.cpp`.
struct BoardConfig {
  const char* id;
  const char* vendor;
  uint32_t clock_hz;  ///< Core clock to set up.
  uint32_t baud;      ///< Console speed, 8N1.
};

extern const BoardConfig kBoardConfig;

/// How the core clock came about.
enum class ClockSource : uint8_t { kPll, kHse, kHsi, kFixed };

/// Bring up clock, console pins and UART, in that order. Called once by the startup code after
/// `.data` and `.bss` are set up. Never blocks for ever: what does not come up is reported by
/// `board_clock_source()` and the firmware goes on at the clock that did.
void board_init();

/// @returns the core clock that is really set, in Hz.
uint32_t board_clock_hz();

/// @returns how that clock is made.
ClockSource board_clock_source();

}  // namespace mcugen
