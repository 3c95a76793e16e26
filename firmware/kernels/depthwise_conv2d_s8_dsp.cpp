// SPDX-License-Identifier: BSD-3-Clause

// Nearly all time is spent here; the rest of the firmware is built for size.
#if !defined(MCUGEN_SMALL_KERNELS)
#pragma GCC optimize("O2")
#endif

#include <arm_acle.h>
#include <kernels/clamp_s8.h>
#include <kernels/conv_choice_dsp.h>
#include <kernels/depthwise_conv2d_s8.h>
#include <kernels/forms.h>
#include <kernels/im2col_s8_dsp.h>
#include <kernels/loops_dsp.h>
#include <kernels/requantize.h>
#include <kernels/window.h>

#include <cstring>

namespace mcugen {
namespace {

/// The loops over planes shift right by 12 behind a product of 2 * 32 bits.
constexpr int32_t kShift = 13;
/// Weights are scaled by 2^bits to get there; that many bits are exact and leave room.
constexpr int32_t kLeastBits = 2;
constexpr int32_t kMostBits = 8;
/// Above sums of nine products, and the biases with which they leave room for kMostBits.
constexpr uint32_t kMostSum = 9 * 255 * 128 + 1;
constexpr int32_t kMostBias = (1 << (31 - kMostBits)) - static_cast<int32_t>(kMostSum);

constexpr int32_t kPlanes = 4;
constexpr int32_t kFewOutputs = 8;

/// A shift with which nothing is scaled, and what is nothing of four channels.
constexpr int32_t kNothing[1 + kPlanes] = {-kShift, 0, 0, 0, 0};
constexpr int32_t kRowBytes = 64;
constexpr int32_t kMostRowBytes = 128;

/// Columns of a plane that `out` outputs of a row read; the small loop takes pairs only.
int32_t columns_read(int32_t out, int32_t stride) {
  return stride * (kMcugenDspSmall ? out + out % 2 : out) + 4 - stride;
}

/// Outputs of one row for which a plane has room.
int32_t most_columns(int32_t stride) { return (kMostRowBytes / 2 - 4) / stride; }

/// One of the two axes of a 3x3 convolution, as the planes see it.
struct Axis {
  int32_t in, out;                         ///< Sizes.
  int32_t pad;                             ///< Before the first pixel.
  int32_t in_step, out_step, weight_step;  ///< From one to the next.
};

/// The 3x3 form: over planes of one channel, a band of rows at a time. Rows of a plane go along the
/// longer axis of the image if that makes fewer of them.
class Planes {
 public:
  /// @param[in] in_place The output lies over the input: no channel twice, and along the image's
  ///     rows, whole ones, unless all is read before any is written.
  Planes(const DepthwiseConv2dS8Params& p, const int8_t* weights, const int32_t* bias,
         bool in_place)
      : p_(p),
        weights_(weights),
        bias_(bias),
        out_ch_(p.in_ch * p.depth_multiplier),
        stride_(p.stride_w),
        exact_(p.output_zero_point > p.activation_min),
        minus_zero_point_(0x10001u * static_cast<uint16_t>(-p.input_zero_point)),
        x_{p.in_w, p.out_w, p.pad_left, p.in_ch, out_ch_, out_ch_},
        y_{p.in_h, p.out_h, p.pad_top, p.in_w * p.in_ch, p.out_w * out_ch_, 3 * out_ch_} {
    const int32_t most = most_columns(stride_) & ~1;
    if (cost(p.out_w, p.out_h) > cost(p.out_h, p.out_w) && p.out_h <= most) {
      swap_axes();
    }
    cut();
    if (in_place && band_h_ < y_.out && x_.in_step != p.in_ch) {
      swap_axes();
      cut();
    }
    if (in_place && (p.in_ch % kPlanes != 0 || tile_w_ < x_.out)) {
      band_h_ = 0;
    }
  }

  bool fits() const { return band_h_ > 0; }

  void run(const int8_t* input, int8_t* output) {
    plain_ = are_plain(0, out_ch_);
    for (int32_t b = 0; b < p_.batch; ++b) {
      for (int32_t y = 0; y < y_.out; y += band_h_) {
        for (int32_t x = 0; x < x_.out; x += tile_w_) {
          tile(input, output, y, x);
        }
      }
      input += p_.in_h * p_.in_w * p_.in_ch;
      output += p_.out_h * p_.out_w * out_ch_;
    }
  }

 private:
  void swap_axes() {
    const Axis x = x_;
    x_ = y_;
    y_ = x;
  }

  /// Cuts the image into tiles that the scratch has room for.
  void cut() {
    const int32_t most = most_columns(stride_) & ~1;
    // Tiles of about the same even width, where it takes more than one.
    const int32_t tiles = (x_.out + most - 1) / most;
    tile_w_ = tiles == 1 ? x_.out : ((x_.out + tiles - 1) / tiles + 1) & ~1;
    const bool is_long = columns_read(tile_w_, stride_) > kRowBytes / 2;
    row_bytes_ = (exact_ && !kMcugenDspSmall) || is_long ? kMostRowBytes : kRowBytes;
    const int32_t rows = static_cast<int32_t>(p_.scratch.bytes) / (kPlanes * row_bytes_);
    band_h_ = rows < 3 ? 0 : (rows - 3) / stride_ + 1;
    band_h_ = band_h_ < y_.out ? band_h_ : y_.out;
    if (x_.out == 1) {  // no pairs
      band_h_ = 0;
    } else if (band_h_ > 0) {  // bands of about the same height
      const int32_t bands = (y_.out + band_h_ - 1) / band_h_;
      band_h_ = (y_.out + bands - 1) / bands;
    }
  }

  /// Instructions of rows of so many outputs, about.
  static int32_t cost(int32_t columns, int32_t rows) {
    return rows * (30 + columns / 2 * 25 + columns % 2 * 19);
  }

  __attribute__((noinline)) void tile(const int8_t* input, int8_t* output, int32_t out_y,
                                      int32_t out_x) {
    const int32_t out_h = y_.out - out_y < band_h_ ? y_.out - out_y : band_h_;
    const int32_t out_w = x_.out - out_x < tile_w_ ? x_.out - out_x : tile_w_;
    const int32_t rows = (out_h - 1) * stride_ + 3;
    const int32_t columns = (out_w - 1) * stride_ + 3;
    const int32_t y = out_y * stride_ - y_.pad;
    const int32_t x = out_x * stride_ - x_.pad;
    const TapRange ys = valid_taps(y, y_.in, rows, 1);
    const TapRange xs = valid_taps(x, x_.in, columns, 1);
    const int32_t pixels = xs.end - xs.begin;
    const int32_t plane_bytes = rows * row_bytes_;
    const bool empty = ys.begin == ys.end || pixels == 0;
    if (empty || ys.begin != 0 || ys.end != rows || xs.begin != 0 || xs.end != columns) {
      uint32_t* word = reinterpret_cast<uint32_t*>(p_.scratch.data);
      for (uint32_t* const end = word + kPlanes * plane_bytes / 4; word != end; word += 8) {
        word[0] = word[1] = word[2] = word[3] = word[4] = word[5] = word[6] = word[7] = 0;
      }
    }
    McugenDspPlanes planes;
    planes.pixels = static_cast<uint32_t>(pixels);
    planes.in_ch = x_.in_step;
    planes.plane_bytes = plane_bytes;
    planes.minus_zero_point = minus_zero_point_;
    planes.rows = ys.end - ys.begin;
    planes.in_skip = y_.in_step - pixels * x_.in_step;
    planes.plane_skip = row_bytes_ - 2 * pixels;
    int16_t* const first = reinterpret_cast<int16_t*>(p_.scratch.data);
    planes.plane = first + ys.begin * row_bytes_ / 2 + xs.begin;
    planes.in = input + (y + ys.begin) * y_.in_step + (x + xs.begin) * x_.in_step;

    McugenDspDepthwise loop;
    loop.plane_bytes = plane_bytes;
    loop.out_step = x_.out_step;
    // A loop takes some pairs at a time; in its first turn it leaves out what they are more.
    const int32_t pairs = out_w / 2;
    const int32_t left_out = kMcugenDspSmall ? 0
                             : stride_ == 1  ? (pairs + 2) / 3 * 3 - pairs
                                             : pairs & 1;
    const int32_t before = stride_ == 1 ? 4 * left_out : 0;
    loop.pair_bytes = pairs * 4 * stride_ + before;
    loop.odd = out_w % 2 * 4 * stride_;
    loop.plane_skip = stride_ * row_bytes_ - loop.pair_bytes;
    loop.out_skip = y_.out_step - out_w * x_.out_step;
    if (kMcugenDspSmall) {
      loop.plane_skip -= loop.odd;
      loop.out_skip += out_w % 2 * x_.out_step;
    }
    loop.form = form(left_out, out_w % 2);
    loop.offset = (1 << (kShift - 2)) + p_.output_zero_point * (1 << (kShift - 1));
    const int32_t rows_bytes = out_h * stride_ * row_bytes_;
    int8_t* const out = output + out_y * y_.out_step + out_x * x_.out_step;
    const int32_t multiplier = p_.depth_multiplier;
    uint32_t words[kPlanes][6];
    for (int32_t c = 0; c < p_.in_ch; c += kPlanes) {
      if (c + kPlanes > p_.in_ch) {  // some of them once more
        planes.in -= c + kPlanes - p_.in_ch;
        c = p_.in_ch - kPlanes;
      }
      if (!empty) {
        mcugen_dsp_planes(&planes);
      }
      planes.in += kPlanes;
      const int16_t* plane = first - before / 2;
      int32_t channel = c * multiplier;
      for (int32_t i = 0, m = 0; i < kPlanes * multiplier; ++i, ++channel) {
        if (i % kPlanes == 0) {
          mcugen_dsp_depthwise_weights(weights_ + channel, x_.weight_step, y_.weight_step,
                                       words[0]);
        }
        loop.plane = plane;
        loop.plane_end = plane + rows_bytes / 2;
        loop.out = out + channel;
        loop.weights = words[i % kPlanes];
        loop.shifts = p_.shifts + channel;
        loop.multipliers = p_.multipliers + channel;
        loop.bias = bias_ == nullptr ? kNothing + 1 : bias_ + channel;
        if (plain_ && multiplier == 1 && out_w > 1) {
          loop.channels = kPlanes;
          mcugen_dsp_depthwise(&loop);
          break;
        }
        loop.channels = 1;
        if (out_w > 1 && (are_plain(channel, channel + 1) || is_zero(loop))) {
          mcugen_dsp_depthwise(&loop);
        } else {
          one_channel(plane + before / 2, channel, out_h, out_w, out + channel);
        }
        if (++m == multiplier) {
          m = 0;
          plane += plane_bytes / 2;
        }
      }
    }
  }

  /// Whether the loops have the scaling of all of some channels.
  bool are_plain(int32_t first, int32_t end) const {
    uint32_t signs = 0;  // the highest bit of what must not be negative
    for (int32_t c = first; c < end; ++c) {
      const uint32_t bits = static_cast<uint32_t>(kShift + p_.shifts[c]);
      const uint32_t bias = static_cast<uint32_t>(bias_ == nullptr ? 0 : bias_[c]);
      signs |= static_cast<uint32_t>(p_.multipliers[c]) | (bits - kLeastBits) | (kMostBits - bits) |
               (bias + kMostBias) | (kMostBias - 1 - bias);
    }
    return signs >> 31 == 0;
  }

  /// Whether every result is 0: of a channel whose weights are next to nothing. Then sets it up.
  __attribute__((noinline)) static bool is_zero(McugenDspDepthwise& loop) {
    const int32_t shift = -*loop.shifts;
    const uint32_t size = static_cast<uint32_t>(*loop.bias < 0 ? ~*loop.bias : *loop.bias);
    loop.shifts = kNothing;
    loop.multipliers = loop.bias = kNothing + 1;
    return shift > 31 || (shift > kShift && size + kMostSum < 1u << (shift - 1));
  }

  uint32_t form(int32_t left_out, int32_t odd) const {
    if (kMcugenDspSmall) {
      return static_cast<uint32_t>(row_bytes_ + stride_ - 1);
    }
    const uint32_t of_stride_1 = exact_                    ? kMcugenDspDepthwise1Exact
                                 : row_bytes_ == kRowBytes ? kMcugenDspDepthwise1Of64
                                                           : kMcugenDspDepthwise1Of128;
    return mcugen_dsp_depthwise_form(
        stride_ == 1 ? of_stride_1 : of_stride_1 + kMcugenDspDepthwise2Of64, left_out, odd);
  }

  /// The same with any scaling.
  __attribute__((noinline)) void one_channel(const int16_t* plane, int32_t channel, int32_t out_h,
                                             int32_t out_w, int8_t* out) const {
    const int8_t* const w = weights_ + channel;
    const int32_t multiplier = p_.multipliers[channel];
    const int32_t shift = p_.shifts[channel];
    const uint32_t bias = bias_ == nullptr ? 0 : static_cast<uint32_t>(bias_[channel]);
    for (int32_t y = 0; y < out_h; ++y, out += y_.out_step - out_w * x_.out_step) {
      const int16_t* in = plane + y * stride_ * row_bytes_ / 2;
      for (int32_t x = 0; x < out_w; ++x, in += stride_, out += x_.out_step) {
        uint32_t acc = bias;
        for (int32_t k = 0; k < 9; ++k) {
          acc += static_cast<uint32_t>(in[k / 3 * row_bytes_ / 2 + k % 3] *
                                       w[k / 3 * y_.weight_step + k % 3 * x_.weight_step]);
        }
        const int32_t scaled = requantize(static_cast<int32_t>(acc), multiplier, shift);
        *out = static_cast<int8_t>(
            clamp(wrapping_add(scaled, p_.output_zero_point), INT8_MIN, INT8_MAX));
      }
    }
  }

  const DepthwiseConv2dS8Params& p_;
  const int8_t* const weights_;
  const int32_t* const bias_;
  const int32_t out_ch_;
  const int32_t stride_;
  const bool exact_;
  bool plain_ = false;  ///< The loops have the scaling of all channels.
  const uint32_t minus_zero_point_;
  Axis x_;  ///< Along the rows of a plane.
  Axis y_;
  int32_t tile_w_;
  int32_t row_bytes_;
  int32_t band_h_;
};

inline uint32_t word_at(const int8_t* from) {
  uint32_t word;
  memcpy(&word, from, sizeof word);
  return word;
}

/// @returns the word with bytes 1 and 3 where 0 and 2 were.
inline uint32_t rotated(uint32_t word, int32_t bits) { return word >> bits | word << (32 - bits); }

/// Any window, four channels at a time as they lie; depth_multiplier 1.
__attribute__((noinline)) void four_channels(const DepthwiseConv2dS8Params& p, const int8_t* input,
                                             const int8_t* weights, const int32_t* bias,
                                             int8_t* output) {
  const int32_t channels = p.in_ch;
  const uint32_t minus_zero_point = 0x10001u * static_cast<uint16_t>(-p.input_zero_point);
  for (int32_t b = 0; b < p.batch; ++b, input += p.in_h * p.in_w * channels) {
    for (int32_t out_y = 0; out_y < p.out_h; ++out_y) {
      const int32_t y = out_y * p.stride_h - p.pad_top;
      const TapRange ys = valid_taps(y, p.in_h, p.kernel_h, p.dilation_h);
      for (int32_t out_x = 0; out_x < p.out_w; ++out_x, output += channels) {
        const int32_t x = out_x * p.stride_w - p.pad_left;
        const TapRange xs = valid_taps(x, p.in_w, p.kernel_w, p.dilation_w);
        for (int32_t c = 0; c < channels; c += 4) {
          if (c + 4 > channels) {
            c = channels - 4;  // some of them once more
          }
          int32_t acc[4] = {0, 0, 0, 0};
          if (bias != nullptr) {
            memcpy(acc, bias + c, sizeof acc);
          }
          for (int32_t ky = ys.begin; ky < ys.end; ++ky) {
            const int8_t* in =
                input +
                ((y + ky * p.dilation_h) * p.in_w + x + xs.begin * p.dilation_w) * channels + c;
            const int8_t* w = weights + (ky * p.kernel_w + xs.begin) * channels + c;
            for (int32_t kx = xs.begin; kx < xs.end; ++kx, w += channels) {
              const uint32_t pixels = word_at(in);
              const uint32_t taps = word_at(w);
              in += p.dilation_w * channels;
              const int16x2_t even = __sxtab16(static_cast<int16x2_t>(minus_zero_point),
                                               static_cast<int8x4_t>(pixels));
              const int16x2_t odd = __sxtab16(static_cast<int16x2_t>(minus_zero_point),
                                              static_cast<int8x4_t>(rotated(pixels, 8)));
              const int16x2_t w_even = __sxtb16(static_cast<int8x4_t>(taps));
              const int16x2_t w_odd = __sxtb16(static_cast<int8x4_t>(rotated(taps, 8)));
              acc[0] = __smlabb(even, w_even, acc[0]);
              acc[1] = __smlabb(odd, w_odd, acc[1]);
              acc[2] = __smlatt(even, w_even, acc[2]);
              acc[3] = __smlatt(odd, w_odd, acc[3]);
            }
          }
          for (int32_t i = 0; i < 4; ++i) {
            const int32_t scaled = requantize(acc[i], p.multipliers[c + i], p.shifts[c + i]);
            output[c + i] = static_cast<int8_t>(clamp(wrapping_add(scaled, p.output_zero_point),
                                                      p.activation_min, p.activation_max));
          }
        }
      }
    }
  }
}

}  // namespace

void depthwise_conv2d_s8_dsp(const DepthwiseConv2dS8Params& p, const int8_t* input,
                             const int8_t* weights, const int32_t* bias, int8_t* output) {
  // One channel in: a convolution like any other, but for the order of the weights.
  if (forms::kDepthwiseAsConv && p.in_ch == 1 && p.depth_multiplier > 1) {
    const Conv2dS8Params conv = as_conv2d(p);
    if (!(forms::kDepthwiseScalar && scalar_conv_is_quicker_dsp(conv, true)) &&
        convolve_s8(conv, input, weights, 1, p.depth_multiplier, bias, output)) {
      return;
    }
  }
  // Several channels of few outputs: the planes are not worth their set-up.
  const bool few = p.depth_multiplier > 1 && p.out_h * p.out_w < kFewOutputs;
  if (forms::kPlanes && !(forms::kDepthwiseScalar && few) && p.in_ch >= kPlanes &&
      (p.out_h > 1 || p.out_w > 1) && p.kernel_h == 3 && p.kernel_w == 3 && p.dilation_h == 1 &&
      p.dilation_w == 1 && p.stride_h == p.stride_w && p.stride_w <= 2) {
    Planes planes(p, weights, bias,
                  overlap(input, p.batch * p.in_h * p.in_w * p.in_ch, output,
                          p.batch * p.out_h * p.out_w * p.out_ch));
    if (planes.fits()) {
      planes.run(input, output);
      if (p.activation_min != INT8_MIN || p.activation_max != INT8_MAX) {
        clamp_s8_scalar(p.batch * p.out_h * p.out_w * p.in_ch * p.depth_multiplier, output,
                        static_cast<int8_t>(p.activation_min),
                        static_cast<int8_t>(p.activation_max), output);
      }
      return;
    }
  }
  // Of five to seven channels some are computed twice, which takes taps to pay.
  const int32_t taps =
      (p.kernel_h < p.in_h ? p.kernel_h : p.in_h) * (p.kernel_w < p.in_w ? p.kernel_w : p.in_w);
  const bool little = p.in_ch < 8 && p.in_ch % 4 != 0 && taps <= (p.in_ch == 5 ? 3 : 2);
  if (forms::kDepthwiseFour && p.in_ch >= 4 && p.depth_multiplier == 1 &&
      !(forms::kDepthwiseScalar && little)) {
    four_channels(p, input, weights, bias, output);
    return;
  }
  depthwise_conv2d_s8_scalar(p, input, weights, bias, output);
}

}  // namespace mcugen
