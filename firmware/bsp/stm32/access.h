// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <port/cortex_m/registers.h>

#include <cstdint>

/// Registers, changed bit by bit and waited for: never without an end.

namespace mcugen::stm32 {

inline void set_bits(uintptr_t address, uint32_t bits) { reg32(address) = reg32(address) | bits; }

/// Replace the bits of `mask` by those of `value`.
inline void change(uintptr_t address, uint32_t mask, uint32_t value) {
  reg32(address) = (reg32(address) & ~mask) | value;
}

/// Read a register until its bits under `mask` are `value`, for at least 50 ms at the clock that
/// `g_clock` tells.
/// @returns whether they became so.
bool wait_for(uintptr_t address, uint32_t mask, uint32_t value);

/// Switch on what one register starts and reports ready: an oscillator, a PLL, over-drive.
/// @returns whether it became ready; if not, it is off again.
bool turn_on(uintptr_t address, uint32_t on, uint32_t ready);

}  // namespace mcugen::stm32
