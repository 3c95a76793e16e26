// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>

namespace mcugen {

/// The pixels of a window that lie inside of one channel of an image, in elements from its start.
struct WindowPixels {
  int32_t first;
  int32_t rows, columns;
  int32_t row_step, column_step;
};

/// @returns the sum of the window's pixels, row by row, in float.
float sum_window_f32_scalar(const WindowPixels& window, const float* image);

}  // namespace mcugen
