// SPDX-License-Identifier: BSD-3-Clause

// Nearly all time is spent here; the rest of the firmware is built for size.
#pragma GCC optimize("O2")

#include <kernels/clamp_s8.h>
#include <kernels/conv_choice_mla.h>
#include <kernels/depthwise_conv2d_s8.h>
#include <kernels/forms.h>
#include <kernels/gemm_s8_mla.h>
#include <kernels/im2col_s8_mla.h>
#include <kernels/loops_mla.h>
#include <kernels/requantize.h>
#include <kernels/window.h>

namespace mcugen {
namespace {

/// Outputs that the 3x3 loops of Armv7-M make at a time.
constexpr int32_t kStep = 3;

int32_t taps_of(const DepthwiseConv2dS8Params& p) { return p.kernel_h * p.kernel_w; }

/// Rows from the first tap of a window to the last; where the plane fits the scratch, few.
int64_t reach_h(const DepthwiseConv2dS8Params& p) {
  return static_cast<int64_t>(p.kernel_h - 1) * p.dilation_h;
}

int64_t reach_w(const DepthwiseConv2dS8Params& p) {
  return static_cast<int64_t>(p.kernel_w - 1) * p.dilation_w;
}

/// @returns words of what the loops need of a channel besides the plane.
int32_t stream_words(const DepthwiseConv2dS8Params& p) { return taps_of(p) + 6; }

/// @returns words of a row of the plane: what windows read, and what a last incomplete step does.
int64_t row_words(const DepthwiseConv2dS8Params& p) {
  const int32_t steps = (p.out_w + kStep - 1) / kStep;
  return static_cast<int64_t>(p.stride_w) * steps * kStep + reach_w(p) + 1;
}

/// @returns rows of the plane for as many rows of the output.
int64_t plane_rows(const DepthwiseConv2dS8Params& p, int32_t out_h) {
  return static_cast<int64_t>(p.stride_h) * (out_h - 1) + reach_h(p) + 1;
}

/// What rows of the 3x3 loops cost, in fifths of a step.
int64_t row_cost(const DepthwiseConv2dS8Params& p) {
  return static_cast<int64_t>(p.out_h) * (1 + 5 * ((p.out_w + kStep - 1) / kStep));
}

/// Bytes from a pixel or tap to the next of its row, and of its column.
struct Strides {
  int32_t in_x, in_y, out_x, out_y, weights_x, weights_y;
};

Strides strides_of(const DepthwiseConv2dS8Params& p) {
  const int32_t out_ch = p.in_ch * p.depth_multiplier;
  return {p.in_ch, p.in_w * p.in_ch, out_ch, p.out_w * out_ch, out_ch, p.kernel_w * out_ch};
}

Strides transposed(const Strides& s) {
  return {s.in_y, s.in_x, s.out_y, s.out_x, s.weights_y, s.weights_x};
}

/// The kernel over planes: a channel of the image at a time, in words, with its border.
class Planes {
 public:
  Planes(const DepthwiseConv2dS8Params& p, const Strides& strides, const int8_t* weights,
         const int32_t* bias)
      : p_(p),
        strides_(strides),
        weights_(weights),
        bias_(bias),
        out_ch_(p.in_ch * p.depth_multiplier),
        is_3x3_(p.kernel_h == 3 && p.kernel_w == 3 && p.dilation_h == 1 && p.dilation_w == 1 &&
                p.stride_w <= 2),
        stream_(reinterpret_cast<int32_t*>(p.scratch.data)),
        plane_(stream_ + stream_words(p)) {
    const int64_t words = p.scratch.bytes / 4;
    const int64_t rows = (words - stream_words(p)) / row_words(p);
    if (words < stream_words(p) || rows < plane_rows(p, 1)) {
      return;
    }
    row_words_ = static_cast<int32_t>(row_words(p));
    const int64_t most = (rows - reach_h(p) - 1) / p.stride_h + 1;
    band_h_ = most < p.out_h ? static_cast<int32_t>(most) : p.out_h;
    const int32_t bands = (p.out_h + band_h_ - 1) / band_h_;
    band_h_ = (p.out_h + bands - 1) / bands;  // bands of about the same height
  }

  bool fits() const { return band_h_ > 0; }

  bool fits_whole() const { return band_h_ == p_.out_h; }

  void run(const int8_t* input, int8_t* output) {
    for (int32_t b = 0; b < p_.batch; ++b) {
      for (int32_t y = 0; y < p_.out_h; y += band_h_) {
        band(input, output, y);
      }
      input += p_.in_h * p_.in_w * p_.in_ch;
      output += p_.out_h * p_.out_w * out_ch_;
    }
  }

 private:
  void band(const int8_t* input, int8_t* output, int32_t out_y) {
    const int32_t out_h = p_.out_h - out_y < band_h_ ? p_.out_h - out_y : band_h_;
    const int32_t rows = static_cast<int32_t>(plane_rows(p_, out_h));
    const int32_t columns = (p_.out_w - 1) * p_.stride_w + static_cast<int32_t>(reach_w(p_)) + 1;
    const int32_t y = out_y * p_.stride_h - p_.pad_top;
    const TapRange ys = valid_taps(y, p_.in_h, rows, 1);
    const TapRange xs = valid_taps(-p_.pad_left, p_.in_w, columns, 1);
    const bool empty = ys.begin == ys.end || xs.begin == xs.end;
    if (empty || ys.begin != 0 || ys.end != rows || xs.begin != 0 || xs.end != columns) {
      int32_t* const end = plane_ + rows * row_words_;
      for (int32_t* word = plane_; word != end; ++word) {
        *word = p_.input_zero_point;
      }
    }
    McugenMlaPlane plane;
    plane.plane = plane_ + ys.begin * row_words_ + xs.begin;
    plane.pixels = static_cast<uint32_t>(xs.end - xs.begin);
    plane.in_ch = strides_.in_x;
    plane.rows = static_cast<uint32_t>(ys.end - ys.begin);
    plane.in_skip = strides_.in_y - (xs.end - xs.begin) * strides_.in_x;
    plane.plane_skip = 4 * (row_words_ - (xs.end - xs.begin));

    McugenMlaDepthwise loop;
    loop.plane = plane_;
    loop.stream = stream_;
    loop.out_step = strides_.out_x;
    loop.row_bytes = 4 * row_words_;
    loop.plane_step = 4 * row_words_ * p_.stride_h;
    loop.out_row_step = strides_.out_y;
    loop.columns = p_.out_w;
    loop.rows = out_h;
    int8_t* const out = output + out_y * strides_.out_y;
    int32_t channel = 0;
    for (int32_t c = 0; c < p_.in_ch; ++c) {
      if (!empty) {
        plane.in =
            input + (y + ys.begin) * strides_.in_y + (xs.begin - p_.pad_left) * strides_.in_x + c;
        mcugen_mla_plane(&plane);
      }
      for (int32_t m = 0; m < p_.depth_multiplier; ++m, ++channel) {
        loop.out = out + channel;
        one_channel(loop, channel);
      }
    }
  }

  /// Writes the weights of a channel. @returns their sum.
  int32_t write_weights(const int8_t* row) {
    const int32_t step = strides_.weights_x;
    int32_t* to = stream_ + 1;
    int32_t sum = 0;
    for (int32_t y = p_.kernel_h; y > 0; --y, row += strides_.weights_y) {
      if (is_3x3_) {
        to[0] = row[0];
        to[1] = row[step];
        to[2] = row[2 * step];
        sum += to[0] + to[1] + to[2];
        to += 3;
        continue;
      }
      const int8_t* w = row;
      for (int32_t x = p_.kernel_w; x > 0; --x, w += step) {
        *to = *w;
        sum += *to++;
      }
    }
    return sum;
  }

  void one_channel(const McugenMlaDepthwise& loop, int32_t channel) {
    const int32_t taps = taps_of(p_);
    const int32_t multiplier = p_.multipliers[channel];
    const int32_t shift = p_.shifts[channel];
    const int32_t bias = bias_ == nullptr ? 0 : bias_[channel];
    const uint32_t sum = static_cast<uint32_t>(write_weights(weights_ + channel));
    // Planes keep the zero point.
    const uint32_t start =
        static_cast<uint32_t>(bias) - static_cast<uint32_t>(p_.input_zero_point) * sum;
    stream_[0] = static_cast<int32_t>(start);
    if (!is_3x3_ || !mla_rescales(multiplier, shift, bias, taps)) {
      any_window(loop, start, multiplier, shift);
      return;
    }
    const bool exact = mla_rescales_exactly(shift, p_.output_zero_point, p_.activation_min);
    *mla_write_scaling(multiplier, shift, p_.output_zero_point, exact, stream_ + 1 + taps) =
        p_.output_zero_point;
    if (p_.stride_w == 1) {
      exact ? mcugen_mla_depthwise_1_exact(&loop) : mcugen_mla_depthwise_1(&loop);
    } else {
      exact ? mcugen_mla_depthwise_2_exact(&loop) : mcugen_mla_depthwise_2(&loop);
    }
  }

  /// Any window and any scaling.
  void any_window(const McugenMlaDepthwise& loop, uint32_t start, int32_t multiplier,
                  int32_t shift) const {
    const int32_t* const weights = stream_ + 1;
    const int32_t column = p_.dilation_w;
    // From behind the last tap of a row to the first of the next.
    const int32_t skip =
        wrapping_sub(wrapping_mul(p_.dilation_h, row_words_), wrapping_mul(p_.kernel_w, column));
    for (int32_t y = 0; y < loop.rows; ++y) {
      int8_t* out = loop.out + y * loop.out_row_step;
      const int32_t* window = plane_ + y * p_.stride_h * row_words_;
      for (int32_t x = 0; x < p_.out_w; ++x, window += p_.stride_w, out += loop.out_step) {
        const int32_t* w = weights;
        int32_t at = 0;
        uint32_t acc = start;
        for (int32_t ky = p_.kernel_h; ky > 0; --ky) {
          for (const int32_t* const end = w + p_.kernel_w; w != end; ++w) {
            acc += static_cast<uint32_t>(window[at] * *w);
            at = wrapping_add(at, column);
          }
          at = wrapping_add(at, skip);
        }
        const int32_t scaled = requantize(static_cast<int32_t>(acc), multiplier, shift);
        *out = static_cast<int8_t>(clamp(wrapping_add(scaled, p_.output_zero_point),
                                         p_.activation_min, p_.activation_max));
      }
    }
  }

  const DepthwiseConv2dS8Params& p_;
  const Strides strides_;
  const int8_t* const weights_;
  const int32_t* const bias_;
  const int32_t out_ch_;
  const bool is_3x3_;
  int32_t* const stream_;
  int32_t* const plane_;
  int32_t row_words_ = 0;
  int32_t band_h_ = 0;
};

/// One channel in: a convolution like any other, but for the order of the weights.
bool one_channel_in(const DepthwiseConv2dS8Params& p, const int8_t* input, const int8_t* weights,
                    const int32_t* bias, int8_t* output) {
  const Conv2dS8Params conv = as_conv2d(p);
  if (scalar_conv_is_quicker_mla(conv, true)) {
    return false;
  }
  GemmS8MlaLayer layer;
  layer.taps = taps_of(p);
  layer.weights = weights;
  layer.channel_step = 1;
  layer.tap_step = layer.out_step = p.depth_multiplier;
  layer.bias = bias;
  layer.multipliers = p.multipliers;
  layer.shifts = p.shifts;
  layer.input_zero_point = p.input_zero_point;
  layer.output_zero_point = p.output_zero_point;
  layer.activation_min = p.activation_min;
  return convolve_s8_mla(conv, layer, input, output);
}

/// Whether planes are worth their set-up: of an output, what is read of them and multiplied is a
/// fair part. Windows other than 3x3 of an image multiply what is outside of the image, too, and
/// gain little by each tap that is inside: their instructions are estimated.
bool planes_pay(const DepthwiseConv2dS8Params& p) {
  const int32_t taps = taps_of(p);
  if (taps <= 1 || p.stride_h * p.stride_w >= 9 || p.out_h * p.out_w <= 4) {
    return false;
  }
  if (!forms::kChoice ||
      (p.kernel_h == 3 && p.kernel_w == 3 && p.dilation_h == 1 && p.dilation_w == 1 &&
       p.stride_h <= 2 && p.stride_w <= 2 && p.in_h > 1 && p.in_w > 1)) {
    return true;
  }
  const int32_t rows =
      taps_inside(p.in_h, p.out_h, p.pad_top, p.kernel_h, p.stride_h, p.dilation_h);
  const int32_t columns =
      taps_inside(p.in_w, p.out_w, p.pad_left, p.kernel_w, p.stride_w, p.dilation_w);
  const int32_t multiplier = p.depth_multiplier;
  const int32_t outputs = p.out_h * p.out_w * multiplier;
  const int32_t longest = p.kernel_h > p.kernel_w ? p.kernel_h : p.kernel_w;
  const int32_t planes = outputs * (58 + 7 * longest + 7 * taps) + multiplier * (200 + 7 * taps) +
                         4 * p.in_h * p.in_w + 100;
  const int32_t scalar = outputs * 70 + multiplier * rows * (8 * columns + 9 * p.out_w);
  return planes + planes / 8 < scalar;
}

/// @returns false, and has done nothing, where they do not pay or the scratch is too small.
bool by_planes(const DepthwiseConv2dS8Params& p, const int8_t* input, const int8_t* weights,
               const int32_t* bias, int8_t* output) {
  if (!planes_pay(p)) {
    return false;
  }
  const Strides strides = strides_of(p);
  const DepthwiseConv2dS8Params t = transposed(p);
  if (row_cost(t) < row_cost(p)) {
    Planes planes(t, transposed(strides), weights, bias);
    // Not in bands: they would be columns of the image, and outputs are written in raster order.
    if (planes.fits_whole()) {
      planes.run(input, output);
      return true;
    }
  }
  Planes planes(p, strides, weights, bias);
  if (planes.fits()) {
    planes.run(input, output);
  }
  return planes.fits();
}

}  // namespace

uint32_t depthwise_conv2d_s8_mla_scratch(const DepthwiseConv2dS8Params& p, int32_t rows) {
  return static_cast<uint32_t>(4 * (stream_words(p) + plane_rows(p, rows) * row_words(p)));
}

void depthwise_conv2d_s8_mla(const DepthwiseConv2dS8Params& p, const int8_t* input,
                             const int8_t* weights, const int32_t* bias, int8_t* output) {
  const bool as_conv = p.in_ch == 1 && p.depth_multiplier > 1;
  if (as_conv && one_channel_in(p, input, weights, bias, output)) {
    return;
  }
  if (as_conv || !by_planes(p, input, weights, bias, output)) {
    depthwise_conv2d_s8_scalar(p, input, weights, bias, output);
    return;
  }
  if (p.activation_min != INT8_MIN || p.activation_max != INT8_MAX) {
    clamp_s8_scalar(p.batch * p.out_h * p.out_w * p.in_ch * p.depth_multiplier, output,
                    static_cast<int8_t>(p.activation_min), static_cast<int8_t>(p.activation_max),
                    output);
  }
}

}  // namespace mcugen
