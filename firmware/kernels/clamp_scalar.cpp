// SPDX-License-Identifier: BSD-3-Clause
#include <kernels/limit.h>

namespace mcugen {
namespace {

template <typename T>
void limit(int32_t count, const T* input, T min, T max, T* output) {
  for (; count > 0; --count) {
    const T value = *input++;
    const T raised = value < min ? min : value;  // comparisons with NaN are false: it passes
    *output++ = raised > max ? max : raised;
  }
}

}  // namespace

void clamp_s8_scalar(int32_t count, const int8_t* input, int8_t min, int8_t max, int8_t* output) {
  limit(count, input, min, max, output);
}

void clamp_f32_scalar(int32_t count, const float* input, float min, float max, float* output) {
  limit(count, input, min, max, output);
}

}  // namespace mcugen
