// SPDX-License-Identifier: BSD-3-Clause

#pragma GCC optimize("O2")

#include <kernels/clamp_s8.h>

namespace mcugen {

void clamp_s8_scalar(int32_t count, const int8_t* input, int8_t min, int8_t max, int8_t* output) {
  for (; count > 0; --count) {
    const int8_t value = *input++;
    const int8_t raised = value < min ? min : value;
    *output++ = raised > max ? max : raised;
  }
}

}  // namespace mcugen
