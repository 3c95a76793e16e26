// SPDX-License-Identifier: BSD-3-Clause
#include <kernels/pool2d_f32.h>

namespace mcugen {

float sum_window_f32_scalar(const WindowPixels& window, const float* image) {
  float sum = 0.0f;
  for (int32_t y = 0; y < window.rows; ++y) {
    for (int32_t x = 0; x < window.columns; ++x) {
      sum += image[window.first + y * window.row_step + x * window.column_step];
    }
  }
  return sum;
}

}  // namespace mcugen
