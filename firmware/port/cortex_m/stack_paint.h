// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>

/// From the linker script: the stack's ends, 8-byte aligned.
extern "C" uint32_t __stack_limit[];
extern "C" uint32_t __stack_top[];

namespace mcugen {

/// What unused stack reads as.
constexpr uint32_t kStackPaint = 0x5AA5C33Cu;

/// Words at the very end of the stack that no working program reaches.
constexpr uint32_t kStackGuardWords = 4;

}  // namespace mcugen
