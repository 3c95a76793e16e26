// SPDX-License-Identifier: BSD-3-Clause
#include <kernels/upsample2d_f32.h>

namespace mcugen {
namespace {

struct Position {
  int32_t before, after;
  float fraction;
};

Position position(const Resample& axis, int32_t out, int32_t in_size) {
  float at = static_cast<float>(out) * axis.scale;
  if (!axis.align_corners) {
    at = (static_cast<float>(out) + 0.5f) * axis.scale - 0.5f;
    at = at < 0.0f ? 0.0f : at;
  }
  int32_t before = static_cast<int32_t>(at);
  before = before < in_size ? before : in_size - 1;
  return {before, before < in_size - 1 ? before + 1 : before, at - static_cast<float>(before)};
}

}  // namespace

int32_t nearest_pixel(const Resample& axis, int32_t out, int32_t in_size) {
  const int32_t at = static_cast<int32_t>(static_cast<float>(out) * axis.scale);
  return at < in_size ? at : in_size - 1;
}

void upsample_bilinear2d_f32_scalar(const Image& in, const Image& out, const Resample& rows,
                                    const Resample& columns, const float* input, float* output) {
  for (int32_t n = 0; n < out.n; ++n) {
    for (int32_t y = 0; y < out.h; ++y) {
      const Position row = position(rows, y, in.h);
      for (int32_t x = 0; x < out.w; ++x) {
        const Position column = position(columns, x, in.w);
        const float* const above = input + n * in.n_step + row.before * in.h_step;
        const float* const below = input + n * in.n_step + row.after * in.h_step;
        const int32_t left = column.before * in.w_step;
        const int32_t right = column.after * in.w_step;
        const float fx = column.fraction;
        const float fy = row.fraction;
        for (int32_t c = 0; c < out.c; ++c) {
          const float* const a = above + c * in.c_step;
          const float* const b = below + c * in.c_step;
          const float upper = (1.0f - fx) * a[left] + fx * a[right];
          const float lower = (1.0f - fx) * b[left] + fx * b[right];
          output[n * out.n_step + c * out.c_step + y * out.h_step + x * out.w_step] =
              one_nan((1.0f - fy) * upper + fy * lower);
        }
      }
    }
  }
}

}  // namespace mcugen
