// SPDX-License-Identifier: BSD-3-Clause
#include <kernels/limit.h>

namespace mcugen {

void clamp_f32_scalar(int32_t count, const float* input, float min, float max, float* output) {
  for (; count > 0; --count) {
    const float value = *input++;
    const float raised = value < min ? min : value;  // comparisons with NaN are false: it passes
    *output++ = raised > max ? max : raised;
  }
}

}  // namespace mcugen
