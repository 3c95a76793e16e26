// SPDX-License-Identifier: BSD-3-Clause

#if !defined(__ARM_FEATURE_MVE)
#error "max_pool2d_s8_mve.cpp needs a core with Helium"
#endif

#pragma GCC optimize("O2")

#include <arm_mve.h>
#include <kernels/pool2d_s8.h>
#include <kernels/pool2d_s8_strips.h>
#include <kernels/window.h>

namespace mcugen {
namespace {

constexpr int32_t kChannels = 16;

void larger_rows(const int8_t* a, const int8_t* b, int32_t bytes, int8_t* output) {
  for (; bytes > 0; bytes -= 16, a += 16, b += 16, output += 16) {
    const mve_pred16_t some = vctp8q(static_cast<uint32_t>(bytes));
    vstrbq_p_s8(output, vmaxq_s8(vldrbq_z_s8(a, some), vldrbq_z_s8(b, some)), some);
  }
}

void largest_pixels(const PoolStrip& strip, int8_t* output) {
  const int32_t channels = strip.channels;
  for (int32_t c = 0; c < channels; c += kChannels) {
    const mve_pred16_t some = vctp8q(static_cast<uint32_t>(channels - c));
    const int8_t* first = strip.pixels + c;
    int8_t* out = output + c;
    for (int32_t outs = strip.outs; outs > 0; --outs, first += strip.step, out += channels) {
      int8x16_t largest = vldrbq_s8(first);
      const int8_t* in = first;
      for (int32_t taps = strip.taps - 1; taps > 0; --taps) {
        in += channels;
        largest = vmaxq_s8(largest, vldrbq_s8(in));
      }
      vstrbq_p_s8(out, largest, some);
    }
  }
}

}  // namespace

void max_pool2d_s8_mve(const Pool2dS8Params& p, const int8_t* input, int8_t* output) {
  if (pool_by_strips(p, 2 * kChannels - 1)) {
    max_pool2d_s8_by_strips<larger_rows, largest_pixels>(p, input, output);
    return;
  }
  const int32_t row = p.in_w * p.channels;
  const int8x16_t min = vdupq_n_s8(static_cast<int8_t>(p.activation_min));
  const int8x16_t max = vdupq_n_s8(static_cast<int8_t>(p.activation_max));
  for (int32_t b = 0; b < p.batch; ++b, input += p.in_h * row) {
    for (int32_t out_y = 0; out_y < p.out_h; ++out_y) {
      const int32_t y = out_y * p.stride_h - p.pad_top;
      const TapRange ys = valid_taps(y, p.in_h, p.kernel_h, 1);
      for (int32_t out_x = 0; out_x < p.out_w; ++out_x, output += p.channels) {
        const int32_t x = out_x * p.stride_w - p.pad_left;
        const TapRange xs = valid_taps(x, p.in_w, p.kernel_w, 1);
        const int8_t* const first = input + (y + ys.begin) * row + (x + xs.begin) * p.channels;
        for (int32_t c = 0; c < p.channels; c += 16) {
          const mve_pred16_t some = vctp8q(static_cast<uint32_t>(p.channels - c));
          int8x16_t largest = min;  // the lower limit, too
          const int8_t* in_row = first + c;
          for (int32_t ky = ys.begin; ky < ys.end; ++ky, in_row += row) {
            const int8_t* in = in_row;
            for (int32_t kx = xs.end - xs.begin; kx > 0; --kx, in += p.channels) {
              largest = vmaxq_s8(largest, vldrbq_z_s8(in, some));
            }
          }
          vstrbq_p_s8(output + c, vminq_s8(largest, max), some);
        }
      }
    }
  }
}

}  // namespace mcugen
