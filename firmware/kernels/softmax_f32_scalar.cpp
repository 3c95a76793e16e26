// SPDX-License-Identifier: BSD-3-Clause
#include <kernels/image.h>
#include <kernels/math_f32.h>
#include <kernels/softmax_f32.h>

namespace mcugen {
namespace {

float largest(int32_t count, const float* input, int32_t step) {
  float max = *input;
  for (; --count > 0;) {
    input += step;
    // Once a NaN is met it stays: nothing is larger.
    max = *input > max || *input != *input ? *input : max;
  }
  return max;
}

}  // namespace

void softmax_f32_scalar(int32_t count, const float* input, int32_t in_step, float* output,
                        int32_t out_step) {
  const float max = largest(count, input, in_step);
  double sum = 0;
  for (int32_t i = 0; i < count; ++i) {
    const float power = exp_f32(input[i * in_step] - max);
    output[i * out_step] = power;
    sum += static_cast<double>(power);
  }
  const float divisor = static_cast<float>(sum);
  for (int32_t i = 0; i < count; ++i) {
    output[i * out_step] = one_nan(output[i * out_step] / divisor);
  }
}

void log_softmax_f32_scalar(int32_t count, const float* input, int32_t in_step, float* output,
                            int32_t out_step) {
  const float max = largest(count, input, in_step);
  double sum = 0;
  for (int32_t i = 0; i < count; ++i) {
    sum += static_cast<double>(exp_f32(input[i * in_step] - max));
  }
  const float log_sum = log_f32(static_cast<float>(sum));
  for (int32_t i = 0; i < count; ++i) {
    output[i * out_step] = one_nan((input[i * in_step] - max) - log_sum);
  }
}

}  // namespace mcugen
