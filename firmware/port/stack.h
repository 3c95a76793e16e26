// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>

/// The startup code paints the stack, from `__stack_limit` up, before anything deep runs. What is
/// no longer painted has been used.

namespace mcugen {

/// @returns bytes between `__stack_limit` and `__stack_top`.
uint32_t stack_total_bytes();

/// @returns the deepest use since boot, in bytes, interrupts included. A function that reserves
///     stack without writing to it is not seen.
uint32_t stack_peak_bytes();

/// @returns whether the lowest words of the stack were overwritten: it has been used up, and what
///     lies below it may be damaged.
bool stack_overflowed();

}  // namespace mcugen
