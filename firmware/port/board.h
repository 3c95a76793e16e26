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
enum class ClockSource : uint8_t {
  kPll,        ///< PLL fed by the external oscillator: the intended clock.
  kHse,        ///< External oscillator directly; the PLL did not lock.
  kHsi,        ///< Internal RC oscillator (about 1 %), directly or through the PLL.
  kMsiLocked,  ///< The MSI oscillator, which a 32 kHz crystal corrects (0.25 %), or its PLL.
  kMsi,        ///< The MSI oscillator alone, as it is trimmed in the factory (4 %).
  kHfint,      ///< Nordic's internal oscillator (8 % at worst).
  kRosc,       ///< Raspberry Pi's ring oscillator: nominal, it may be twice or a third of that.
  kFixed,      ///< Given by the hardware or simulator; the firmware sets nothing.
};

/// Bring up clock, console pins and UART, in that order. Called once by the startup code after
/// `.data` and `.bss` are set up. Never blocks for ever: what does not come up is reported by
/// `board_clock_source()` and the firmware goes on at the clock that did.
void board_init();

/// @returns the core clock that is really set, in Hz. Never 0.
uint32_t board_clock_hz();

/// @returns how that clock is made.
ClockSource board_clock_source();

/// How code and constants are read from flash.
struct FlashSetup {
  int wait_states;  ///< -1: the hardware, or a simulator, does not tell
  bool prefetch;
  bool instruction_cache;  ///< of the core, or in front of the flash
  bool data_cache;
};

/// @returns what is set, read back from the hardware.
FlashSetup board_flash_setup();

/// Sleep until an interrupt is pending, masked ones included. What a family's errata ask for around
/// WFI is done here.
void board_wait_for_interrupt();

/// @returns why the core was last reset ("power", "brown-out", "pin", "software", "watchdog",
///     "low-power"), or nullptr where the hardware does not tell.
const char* board_reset_cause();

}  // namespace mcugen
