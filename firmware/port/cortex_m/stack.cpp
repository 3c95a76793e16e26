// SPDX-License-Identifier: BSD-3-Clause
#include <port/cortex_m/stack_paint.h>
#include <port/stack.h>

namespace mcugen {

uint32_t stack_total_bytes() {
  return static_cast<uint32_t>(reinterpret_cast<uintptr_t>(__stack_top) -
                               reinterpret_cast<uintptr_t>(__stack_limit));
}

uint32_t stack_peak_bytes() {
  const uint32_t* word = __stack_limit;
  while (word < __stack_top && *word == kStackPaint) {
    ++word;
  }
  return static_cast<uint32_t>(reinterpret_cast<uintptr_t>(__stack_top) -
                               reinterpret_cast<uintptr_t>(word));
}

bool stack_overflowed() {
  for (uint32_t i = 0; i < kStackGuardWords; ++i) {
    if (__stack_limit[i] != kStackPaint) {
      return true;
    }
  }
  return false;
}

}  // namespace mcugen
