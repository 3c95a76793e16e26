// SPDX-License-Identifier: BSD-3-Clause

#if !defined(__ARM_FEATURE_MVE)
#error "depthwise_conv2d_s8_mve.cpp needs a core with Helium"
#endif

#pragma GCC optimize("O2")

#include <arm_mve.h>
#include <kernels/conv2d_s8_mve_plan.h>
#include <kernels/conv_mve.h>
#include <kernels/depthwise_conv2d_s8.h>
#include <kernels/depthwise_conv2d_s8_mve_strips.h>
#include <kernels/requantize.h>
#include <kernels/window.h>

#include <cstddef>

namespace mcugen {
namespace {

// The assembler source knows these.
static_assert(offsetof(MveDepthwise3x3, input) == 120 && offsetof(MveDepthwise3x3, step) == 192 &&
              offsetof(MveDepthwise3x3, singles) == 204);
static_assert(sizeof(MveTile) == MveStrips::kTileBytes);

class Depthwise3x3 {
 public:
  Depthwise3x3(const DepthwiseConv2dS8Params& p, const int8_t* weights, const int32_t* bias)
      : p_(p), strips_(p) {
    args_.in_8_pixels = 8 * p.in_ch;
    args_.in_row = p.in_w * p.in_ch;
    args_.weights = weights;
    args_.channels = p.in_ch;
    args_.bias = bias;
    args_.multipliers = p.multipliers;
    args_.shifts = p.shifts;
    args_.input_zero_point = p.input_zero_point;
    args_.output_zero_point = p.output_zero_point;
    args_.activation_min = p.activation_min;
    args_.activation_max = p.activation_max;
    const MveRounding rounding =
        rounding_mve(p.output_zero_point, p.activation_min, p.activation_max);
    args_.step = (p.stride_h == 2 ? 2 : 0) + (rounding == MveRounding::kPlain ? 0 : 1);
    const int32_t window_w = 3 + p.stride_w;  // 4 or 5 pixels in a row of a window
    for (int32_t i = 0; i < 16; ++i) {
      const int32_t y = i / window_w;
      const int32_t x = i % window_w;
      const bool used = y < 3 && x < 3;
      args_.taps[i] = static_cast<uint16_t>(used ? (y * 3 + x) * p.in_ch : 0);
      const uint32_t lane = 3u << (i % 8 * 2);
      args_.taps_used[i / 8] = (i % 8 == 0 ? 0 : args_.taps_used[i / 8]) | (used ? lane : 0);
    }
    args_.by_16 = !strips_.table() && 15 * p.in_ch <= UINT8_MAX;
    for (int32_t i = 0; i < 16; ++i) {
      if (args_.by_16) {
        args_.pixels_by_16[i] = static_cast<uint8_t>(i * p.in_ch);
      } else {
        args_.pixels[i / 2] = static_cast<uint16_t>(i / 2 * p.in_ch);
      }
    }
    mve_fill(args_.kernel, sizeof args_.kernel, 0);
  }

  void run(const int8_t* input, int8_t* output);

 private:
  void strip(const int8_t* input, int32_t y, int32_t x, int32_t rows, int32_t columns,
             int8_t* output);

  const DepthwiseConv2dS8Params& p_;
  const MveStrips strips_;
  MveDepthwise3x3 args_;
};

void Depthwise3x3::run(const int8_t* input, int8_t* output) {
  int32_t at_once = strips_.rows_in(p_.scratch.bytes);
  for (int32_t b = 0; b < p_.batch; ++b) {
    for (int32_t y = 0; y < p_.out_h; y += at_once) {
      // MveStrips are of two rows and columns at least, and of four rows where there is room for
      // them, which take less than three: what would be less overlaps the one before.
      const int32_t least = at_once < 4 ? 2 : 4;
      const int32_t last_y = p_.out_h - y < least ? p_.out_h - least : y;
      const int32_t rows = p_.out_h - last_y < at_once ? p_.out_h - last_y : at_once;
      for (int32_t x = 0; x < p_.out_w; x += strips_.max_columns()) {
        const int32_t last_x = p_.out_w - x < 2 ? p_.out_w - 2 : x;
        const int32_t wide = p_.out_w - last_x;
        const int32_t columns = wide < strips_.max_columns() ? wide : strips_.max_columns();
        strip(input, last_y, last_x, rows, columns,
              output + (last_y * p_.out_w + last_x) * p_.in_ch);
      }
    }
    input += p_.in_h * p_.in_w * p_.in_ch;
    output += p_.out_h * p_.out_w * p_.in_ch;
  }
}

void Depthwise3x3::strip(const int8_t* input, int32_t out_y, int32_t out_x, int32_t rows,
                         int32_t columns, int8_t* output) {
  const int32_t stride = p_.stride_h;
  const int32_t in_ch = p_.in_ch;
  const int32_t plane_row = strips_.plane_row(columns);
  const int32_t plane_rows = strips_.plane_rows(rows);
  const int32_t y = out_y * stride - p_.pad_top;  // of the plane in the image
  const int32_t x = out_x * stride - p_.pad_left;
  const TapRange ys = valid_taps(y, p_.in_h, plane_rows, 1);
  const TapRange xs = valid_taps(x, p_.in_w, plane_row, 1);

  MveTile* const tiles = reinterpret_cast<MveTile*>(p_.scratch.data);
  uint8_t* const behind = p_.scratch.data + strips_.tile_bytes(columns, rows);
  int8_t* plane = reinterpret_cast<int8_t*>(behind);
  args_.columns = xs.end - xs.begin;
  args_.rows = args_.columns > 0 ? ys.end - ys.begin : 0;
  args_.places = nullptr;
  if (strips_.table() && args_.columns == p_.in_w) {
    uint16_t* place = reinterpret_cast<uint16_t*>(behind);
    args_.places = place;
    for (int32_t r = 0; r < args_.rows; ++r) {
      uint16x8_t at = vidupq_n_u16(static_cast<uint32_t>(r * plane_row), 1);
      for (int32_t left = args_.columns; left > 0; left -= 8) {
        vst1q_u16(place, at);  // what is behind the row is written again
        at = vaddq_n_u16(at, 8);
        place += left < 8 ? left : 8;
      }
    }
    args_.columns *= args_.rows;
    plane = reinterpret_cast<int8_t*>(place + 8);  // the last are read as 8
  }
  if (args_.rows == 0) {
    args_.columns = 0;  // nothing of the image
    args_.rows = 1;
  }
  mve_fill(plane, plane_rows * plane_row + 16, p_.input_zero_point);
  args_.plane_row = plane_row;
  args_.inside = plane + ys.begin * plane_row + xs.begin;
  args_.input = input + ((y + ys.begin) * p_.in_w + x + xs.begin) * in_ch;

  const int32_t window_w = 3 + stride;
  for (int32_t i = 0; i < 16; ++i) {
    const int32_t row = i / window_w < 3 || stride == 1 ? i / window_w : 0;
    args_.gather[i] = static_cast<uint8_t>(row * plane_row + i % window_w);
  }
  const int32_t out_row = p_.out_w * in_ch;
  for (int32_t i = 0; i < 8; ++i) {
    args_.outputs[i] = static_cast<uint16_t>((i / 4 + i % 2 * 2) * out_row + i / 2 % 2 * in_ch);
  }
  args_.window = 2 * plane_row;
  MveTile* tile = tiles;
  const auto tiles_from = [&](int32_t top) {
    for (int32_t c = 0; c < columns; c += 2) {
      const int32_t left = c + 2 > columns ? columns - 2 : c;
      tile->window = plane + (top * plane_row + left) * stride;
      tile->output = output + top * out_row + left * in_ch;
      ++tile;
    }
  };
  for (int32_t i = 0; i < MveStrips::pairs(rows); ++i) {
    tiles_from(4 * i + 4 > rows ? rows - 4 : 4 * i);
  }
  args_.tiles = tiles;
  args_.pairs = tile - tiles;
  for (int32_t i = MveStrips::singles(rows); i > 0; --i) {
    tiles_from(rows - 1 - i);
  }
  args_.singles = tile - tiles - args_.pairs;
  mve_depthwise_3x3(&args_);
}

/// One input channel is an ordinary convolution, but for the order of the weights.
/// Any window and multiplier: four output channels at a time.
void four_channels(const DepthwiseConv2dS8Params& p, const int8_t* input, const int8_t* weights,
                   const int32_t* bias, int8_t* output) {
  const int32_t in_ch = p.in_ch;
  const int32_t out_ch = in_ch * p.depth_multiplier;
  const int32_t filter_row = p.kernel_w * out_ch;
  const int32_t in_tap = wrapping_mul(p.dilation_w, in_ch);
  const int32_t in_row = wrapping_mul(p.dilation_h, p.in_w * in_ch);
  for (int32_t b = 0; b < p.batch; ++b, input += p.in_h * p.in_w * in_ch) {
    for (int32_t out_y = 0; out_y < p.out_h; ++out_y) {
      const int32_t y = out_y * p.stride_h - p.pad_top;
      const TapRange ys = valid_taps(y, p.in_h, p.kernel_h, p.dilation_h);
      for (int32_t out_x = 0; out_x < p.out_w; ++out_x, output += out_ch) {
        const int32_t x = out_x * p.stride_w - p.pad_left;
        const TapRange xs = valid_taps(x, p.in_w, p.kernel_w, p.dilation_w);
        const bool outside = ys.begin == ys.end || xs.begin == xs.end;
        const int32_t first_y = y + ys.begin * p.dilation_h;
        const int32_t first_x = x + xs.begin * p.dilation_w;
        const int8_t* const first = input + (outside ? 0 : (first_y * p.in_w + first_x) * in_ch);
        const int8_t* const taps = weights + ys.begin * filter_row + xs.begin * out_ch;
        for (int32_t o = 0; o < out_ch; o += 4) {
          const mve_pred16_t some = vctp32q(static_cast<uint32_t>(out_ch - o));
          int32x4_t acc = bias != nullptr ? vldrwq_z_s32(bias + o, some) : vdupq_n_s32(0);
          // Output channels o to o + 3 see input channels (o + lane) / multiplier.
          uint32x4_t from = vaddq_n_u32(vidupq_n_u32(0, 1), static_cast<uint32_t>(o));
          if (p.depth_multiplier != 1) {
            const uint32_t m = static_cast<uint32_t>(p.depth_multiplier);
            const uint32_t at = static_cast<uint32_t>(o);
            from = vsetq_lane_u32(at / m, from, 0);
            from = vsetq_lane_u32((at + 1) / m, from, 1);
            from = vsetq_lane_u32((at + 2) / m, from, 2);
            from = vsetq_lane_u32((at + 3) / m, from, 3);
          }
          const int8_t* in_y = first;
          const int8_t* w_y = taps + o;
          for (int32_t ky = ys.begin; ky < ys.end; ++ky, w_y += filter_row) {
            const int8_t* in = in_y;
            const int8_t* w = w_y;
            for (int32_t left = xs.end - xs.begin; left > 0; --left, in += in_tap, w += out_ch) {
              const int32x4_t pixel =
                  vsubq_n_s32(vldrbq_gather_offset_z_s32(in, from, some), p.input_zero_point);
              acc = vaddq_s32(acc, vmulq_s32(pixel, vldrbq_z_s32(w, some)));
            }
            in_y += ky + 1 < ys.end ? in_row : 0;
          }
          int32x4_t v = vqrdmulhq_s32(acc, vldrwq_z_s32(p.multipliers + o, some));
          v = vaddq_s32(v, vshrq_n_s32(v, 31));  // halves away from zero
          v = vrshlq_s32(v, vldrwq_z_s32(p.shifts + o, some));
          v = vaddq_n_s32(v, p.output_zero_point);
          v = vmaxq_s32(v, vdupq_n_s32(p.activation_min));
          v = vminq_s32(v, vdupq_n_s32(p.activation_max));
          vstrbq_p_s32(output + o, v, some);
        }
      }
    }
  }
}

}  // namespace

void depthwise_conv2d_s8_mve(const DepthwiseConv2dS8Params& p, const int8_t* input,
                             const int8_t* weights, const int32_t* bias, int8_t* output) {
  const MveStrips strips(p);
  const bool in_place = overlap(input, p.batch * p.in_h * p.in_w * p.in_ch, output,
                                p.batch * p.out_h * p.out_w * p.out_ch);
  // A channel alone leaves vectors empty, but where its plane is large.
  constexpr int32_t kFewPixels = 64;
  const bool planes = mve_takes_3x3(p) && strips.bytes(strips.columns(), 2) <= p.scratch.bytes;
  const bool alone =
      p.in_ch == 1 && p.depth_multiplier == 1 && (!planes || p.out_h * p.out_w < kFewPixels);
  if (in_place || alone || !shifts_right_mve(p.shifts, p.in_ch * p.depth_multiplier)) {
    depthwise_conv2d_s8_scalar(p, input, weights, bias, output);
  } else if (planes) {
    Depthwise3x3(p, weights, bias).run(input, output);
  } else if (p.in_ch != 1 ||
             !conv2d_s8_transposed_mve(as_conv2d(p), input, weights, bias, output)) {
    four_channels(p, input, weights, bias, output);
  }
}

}  // namespace mcugen
