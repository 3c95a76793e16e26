// SPDX-License-Identifier: BSD-3-Clause
#include <bsp/stm32/access.h>
#include <bsp/stm32/family.h>

namespace mcugen::stm32 {

// A poll is 6 instructions, 9 clocks or more: 56 ms. The slowest thing waited for is a crystal (a
// few ms); a PLL, a regulator and over-drive take some 100 us.
constexpr uint32_t kClockHzPerPoll = 160;  // polls that are made: clock / 160

bool wait_for(uintptr_t address, uint32_t mask, uint32_t value) {
  return mcugen::wait_for(address, mask, value, g_clock.core_hz / kClockHzPerPoll);
}

bool turn_on(uintptr_t address, uint32_t on, uint32_t ready) {
  set_bits(address, on);
  if (wait_for(address, ready, ready)) {
    return true;
  }
  change(address, on, 0);
  return false;
}

}  // namespace mcugen::stm32
