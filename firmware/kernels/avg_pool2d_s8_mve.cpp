// SPDX-License-Identifier: BSD-3-Clause

#if !defined(__ARM_FEATURE_MVE)
#error "avg_pool2d_s8_mve.cpp needs a core with Helium"
#endif

#pragma GCC optimize("O2")

#include <arm_mve.h>
#include <kernels/pool2d_s8.h>
#include <kernels/window.h>

namespace mcugen {
namespace {

/// Divides by `count`, halves away from zero.
void store_means(const int32_t* sums, int32_t n, int32_t count, int8_t* output) {
  const int32_t half = count / 2;
  for (int32_t i = 0; i < n; ++i) {
    const int32_t sum = sums[i];
    output[i] = static_cast<int8_t>((sum + (sum > 0 ? half : -half)) / count);
  }
}

void store_sums(int16x8_t from, int32_t* sums) {
  vst2q_s32(sums, (int32x4x2_t{{vmovlbq_s16(from), vmovltq_s16(from)}}));
}

}  // namespace

void avg_pool2d_s8_mve(const Pool2dS8Params& p, const int8_t* input, int8_t* output) {
  constexpr int32_t kMostIn16Bits = 255;  // times -128
  const int32_t row = p.in_w * p.channels;
  for (int32_t b = 0; b < p.batch; ++b, input += p.in_h * row) {
    for (int32_t out_y = 0; out_y < p.out_h; ++out_y) {
      const int32_t y = out_y * p.stride_h - p.pad_top;
      const TapRange ys = valid_taps(y, p.in_h, p.kernel_h, 1);
      for (int32_t out_x = 0; out_x < p.out_w; ++out_x, output += p.channels) {
        const int32_t x = out_x * p.stride_w - p.pad_left;
        const TapRange xs = valid_taps(x, p.in_w, p.kernel_w, 1);
        const int32_t width = xs.end - xs.begin;
        const int32_t count = (ys.end - ys.begin) * width;
        const int8_t* const first = input + (y + ys.begin) * row + (x + xs.begin) * p.channels;
        int32_t sums[8];
        int32_t c = 0;
        for (; c + 16 <= p.channels && count <= kMostIn16Bits; c += 16) {
          int16x8_t low = vdupq_n_s16(0);
          int16x8_t high = vdupq_n_s16(0);
          const int8_t* in_row = first + c;
          for (int32_t ky = ys.begin; ky < ys.end; ++ky, in_row += row) {
            const int8_t* in = in_row;
            for (int32_t kx = width; kx > 0; --kx, in += p.channels) {
              low = vaddq_s16(low, vldrbq_s16(in));
              high = vaddq_s16(high, vldrbq_s16(in + 8));
            }
          }
          store_sums(low, sums);
          store_means(sums, 8, count, output + c);
          store_sums(high, sums);
          store_means(sums, 8, count, output + c + 8);
        }
        for (; c < p.channels; c += 8) {
          const int32_t left = p.channels - c;
          const int8_t* in_row = first + c;
          if (count <= kMostIn16Bits) {
            const mve_pred16_t some = vctp16q(static_cast<uint32_t>(left));
            int16x8_t sum = vdupq_n_s16(0);
            for (int32_t ky = ys.begin; ky < ys.end; ++ky, in_row += row) {
              const int8_t* in = in_row;
              for (int32_t kx = width; kx > 0; --kx, in += p.channels) {
                sum = vaddq_s16(sum, vldrbq_z_s16(in, some));
              }
            }
            store_sums(sum, sums);
          } else {
            int32x4_t low = vdupq_n_s32(0);
            int32x4_t high = vdupq_n_s32(0);
            const mve_pred16_t first_four = vctp32q(static_cast<uint32_t>(left));
            const mve_pred16_t next_four = vctp32q(static_cast<uint32_t>(left > 4 ? left - 4 : 0));
            for (int32_t ky = ys.begin; ky < ys.end; ++ky, in_row += row) {
              const int8_t* in = in_row;
              for (int32_t kx = width; kx > 0; --kx, in += p.channels) {
                low = vaddq_s32(low, vldrbq_z_s32(in, first_four));
                high = vaddq_s32(high, vldrbq_z_s32(in + 4, next_four));
              }
            }
            vst1q_s32(sums, low);
            vst1q_s32(sums + 4, high);
          }
          store_means(sums, left < 8 ? left : 8, count, output + c);
        }
      }
    }
  }
}

}  // namespace mcugen
