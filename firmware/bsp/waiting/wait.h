// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <port/cortex_m/registers.h>

#include <cstdint>

namespace mcugen {

/// Read a register until its bits under `mask` are `value`.
/// @param[in] polls How often at most: a poll takes 9 clocks of the core or more.
/// @returns whether they became so.
inline bool wait_for(uintptr_t address, uint32_t mask, uint32_t value, uint32_t polls) {
  for (; polls > 0; --polls) {
    if ((reg32(address) & mask) == value) {
      return true;
    }
  }
  return false;
}

}  // namespace mcugen
