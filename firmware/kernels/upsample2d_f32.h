// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <kernels/image.h>

namespace mcugen {

/// One axis of an image that is made larger or smaller.
struct Resample {
  float scale;         ///< Input pixels per output pixel.
  bool align_corners;  ///< Whether pixels are points, not areas.
};

/// @returns the input pixel nearest to output pixel `out`: floor(out * scale).
int32_t nearest_pixel(const Resample& axis, int32_t out, int32_t in_size);

/// Bilinear interpolation, any layout: with y and x the position in the input,
///   output = (1 - fy) * ((1 - fx) * a + fx * b) + fy * ((1 - fx) * c + fx * d),
/// a, b, c, d the four pixels around it (at the border the last one twice) and fy, fx the
/// fractions, all in float. y = out * scale_y for align_corners, else
/// max(0, (out + 0.5) * scale_y - 0.5).
void upsample_bilinear2d_f32_scalar(const Image& in, const Image& out, const Resample& rows,
                                    const Resample& columns, const float* input, float* output);

}  // namespace mcugen
