// SPDX-License-Identifier: BSD-3-Clause

#if !defined(__ARM_FEATURE_MVE)
#error "depthwise_conv2d_s8_mve.cpp needs a core with Helium"
#endif

#pragma GCC optimize("O2")

#include <arm_mve.h>
#include <kernels/conv_mve.h>
#include <kernels/depthwise_conv2d_s8.h>
#include <kernels/requantize.h>
#include <kernels/window.h>

#include <cstddef>

namespace mcugen {
namespace {

// The assembler source knows these.
static_assert(offsetof(MveDepthwise3x3, step) == 72 && offsetof(MveDepthwise3x3, taps) == 128 &&
              offsetof(MveDepthwise3x3, kernel) == 216);

/// How an image is cut into strips of planes, which the gather's 8-bit offsets limit in width.
struct Strips {
  explicit Strips(const DepthwiseConv2dS8Params& p) : p_(p) {}

  static constexpr int32_t kPlaneBytes = 4096;  // more brings little
  static constexpr int32_t kNarrow = 16;        // below, a table of places is faster than rows

  int32_t max_columns() const { return p_.stride_w == 1 ? 82 : 60; }
  bool table() const { return p_.in_w < kNarrow; }
  int32_t plane_row(int32_t columns) const { return (columns - 1) * p_.stride_w + 3; }
  int32_t plane_rows(int32_t rows) const { return (rows - 1) * p_.stride_h + 3; }

  uint32_t bytes(int32_t columns, int32_t rows) const {
    const int32_t in_rows = plane_rows(rows);
    const int32_t table_bytes =
        table() ? 2 * p_.in_w * (in_rows < p_.in_h ? in_rows : p_.in_h) + 16 : 0;
    return static_cast<uint32_t>(in_rows * plane_row(columns) + 16 + table_bytes);
  }

  int32_t columns() const { return p_.out_w < max_columns() ? p_.out_w : max_columns(); }

  /// @returns how many rows of the output `scratch` bytes are enough for, at most all.
  int32_t rows_in(uint32_t scratch) const {
    int32_t rows = p_.out_h;
    while (rows > 1 && bytes(columns(), rows) > scratch) {
      --rows;
    }
    return rows;
  }

  const DepthwiseConv2dS8Params& p_;
};

/// Whether the loop for 3x3 windows can do this, given enough scratch.
bool takes_3x3(const DepthwiseConv2dS8Params& p) {
  return p.depth_multiplier == 1 && p.kernel_h == 3 && p.kernel_w == 3 && p.dilation_h == 1 &&
         p.dilation_w == 1 && p.stride_h == p.stride_w && p.stride_h <= 2 && p.out_h >= 2 &&
         p.out_w >= 2 && p.in_ch <= 8191 && (3 * p.out_w + 2) * p.in_ch <= 65535;
}

class Depthwise3x3 {
 public:
  Depthwise3x3(const DepthwiseConv2dS8Params& p, const int8_t* weights, const int32_t* bias)
      : p_(p), strips_(p) {
    args_.in_pixel = p.in_ch;
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
    for (int32_t i = 0; i < 8; ++i) {
      args_.pixels[i] = static_cast<uint16_t>(i * p.in_ch);
    }
    fill_mve(0, sizeof args_.kernel, args_.kernel);
  }

  void run(const int8_t* input, int8_t* output);

 private:
  void strip(const int8_t* input, int32_t y, int32_t x, int32_t rows, int32_t columns,
             int8_t* output);

  const DepthwiseConv2dS8Params& p_;
  const Strips strips_;
  MveDepthwise3x3 args_;
};

void Depthwise3x3::run(const int8_t* input, int8_t* output) {
  int32_t at_once = strips_.rows_in(p_.scratch.bytes);
  for (int32_t b = 0; b < p_.batch; ++b) {
    for (int32_t y = 0; y < p_.out_h; y += at_once) {
      // Strips are of two rows and columns at least: what would be less overlaps the one before.
      const int32_t last_y = p_.out_h - y < 2 ? p_.out_h - 2 : y;
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

  int8_t* plane = reinterpret_cast<int8_t*>(p_.scratch.data);
  args_.columns = xs.end - xs.begin;
  args_.rows = args_.columns > 0 ? ys.end - ys.begin : 0;
  args_.places = nullptr;
  if (strips_.table() && args_.columns == p_.in_w) {
    uint16_t* place = reinterpret_cast<uint16_t*>(p_.scratch.data);
    args_.places = place;
    for (int32_t r = 0; r < args_.rows; ++r) {
      for (int32_t c = 0; c < args_.columns; ++c) {
        *place++ = static_cast<uint16_t>(r * plane_row + c);
      }
    }
    args_.columns *= args_.rows;
    plane = reinterpret_cast<int8_t*>(place + 8);  // the last are read as 8
  }
  if (args_.rows == 0) {
    args_.columns = 0;  // nothing of the image
    args_.rows = 1;
  }
  fill_mve(static_cast<int8_t>(p_.input_zero_point), plane_rows * plane_row + 16, plane);
  args_.plane = plane;
  args_.plane_row = plane_row;
  args_.inside = plane + ys.begin * plane_row + xs.begin;
  args_.input = input + ((y + ys.begin) * p_.in_w + x + xs.begin) * in_ch;

  const int32_t window_w = 3 + stride;
  for (int32_t i = 0; i < 16; ++i) {
    const int32_t row = i / window_w < 3 || stride == 1 ? i / window_w : 0;
    args_.gather[i] = static_cast<uint8_t>(row * plane_row + i % window_w);
  }
  const int32_t out_row = p_.out_w * in_ch;
  const int32_t below =
      rows < 4 ? rows - 2 : 2;  // rows from the first tile of a pair to the second
  for (int32_t i = 0; i < 8; ++i) {
    args_.outputs[i] = static_cast<uint16_t>((i / 4 + i % 2 * below) * out_row + i / 2 % 2 * in_ch);
  }
  args_.output = output;
  args_.pairs = rows / 4;
  args_.tile_columns = (columns + 1) / 2;
  args_.pair_window = 0;
  args_.pair_output = 4 * out_row;
  if (stride == 1) {
    args_.window = below * plane_row;
    args_.second = 0;
  } else {
    args_.window = 2 * plane_row;
    args_.second = (below - 1) * 2 * plane_row;
  }
  args_.odd_window = rows % 4 * stride * plane_row;
  args_.odd_output = rows % 4 * out_row;
  args_.odd_column = columns % 2 != 0 ? args_.tile_columns - 1 : -1;
  args_.column_window = 2 * stride;
  args_.column_output = 2 * in_ch;
  mve_depthwise_3x3(&args_);
}

}  // namespace

void depthwise_conv2d_s8_mve(const DepthwiseConv2dS8Params& p, const int8_t* input,
                             const int8_t* weights, const int32_t* bias, int8_t* output) {
  const int32_t out_ch = p.in_ch * p.depth_multiplier;
  const bool right = shifts_right_mve(p.shifts, out_ch);
  const Strips strips(p);
  if (right && takes_3x3(p) && strips.bytes(strips.columns(), 2) <= p.scratch.bytes) {
    Depthwise3x3(p, weights, bias).run(input, output);
    return;
  }
  depthwise_conv2d_s8_scalar(p, input, weights, bias, output);
}

uint32_t depthwise_conv2d_s8_mve_scratch_bytes(const DepthwiseConv2dS8Params& p) {
  const Strips strips(p);
  int32_t rows = p.out_h;
  while (rows > 4 && strips.bytes(strips.columns(), rows) > Strips::kPlaneBytes) {
    --rows;
  }
  return strips.bytes(strips.columns(), rows < 2 ? 2 : rows);
}

}  // namespace mcugen
