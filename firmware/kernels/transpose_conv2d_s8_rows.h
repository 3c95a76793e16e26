// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <kernels/requantize.h>
#include <kernels/transpose_conv2d_s8.h>

#include <cstdint>

/// What the variants of transpose_conv2d_s8 share: each output gathers the input pixels that reach
/// it, and of each pixel all channels for four output channels at a time.

namespace mcugen {

/// The taps that bring an input pixel to one output position, along one axis.
struct SourceTaps {
  int32_t first;   ///< Of the taps; the next is `period` of the axis on.
  int32_t source;  ///< The input position of the first; the next one's is `back` less.
  int32_t count;
};

/// One axis of a transposed convolution.
class SourceAxis {
 public:
  SourceAxis(int32_t kernel, int32_t stride, int32_t dilation, int32_t pad, int32_t in_size)
      : kernel_(kernel), stride_(stride), dilation_(dilation), pad_(pad), in_size_(in_size) {
    while (period_ * dilation % stride != 0) {
      ++period_;
    }
    back_ = period_ * dilation / stride;
  }

  int32_t period() const { return period_; }
  int32_t back() const { return back_; }

  SourceTaps at(int32_t out) const {
    int32_t position = out + pad_;
    SourceTaps taps{0, 0, 0};
    // Of each period one tap at most is on the grid of the input.
    while (position % stride_ != 0) {
      if (++taps.first == period_ || taps.first == kernel_) {
        return taps;
      }
      position -= dilation_;
    }
    taps.source = position / stride_;
    while (taps.source >= in_size_) {
      taps.source -= back_;
      taps.first += period_;
    }
    if (taps.source >= 0 && taps.first < kernel_) {
      const int32_t within_image = taps.source / back_ + 1;
      const int32_t within_kernel = (kernel_ - 1 - taps.first) / period_ + 1;
      taps.count = within_image < within_kernel ? within_image : within_kernel;
    }
    return taps;
  }

 private:
  int32_t kernel_, stride_, dilation_, pad_, in_size_;
  int32_t period_ = 1;  ///< From a tap to the next that has the same remainder by the stride.
  int32_t back_;
};

/// From a tap to the next, in bytes: of the weights and of the input.
struct SourceSteps {
  int32_t y_weights, x_weights, y_input, x_input;
};

/// Adds the products of all taps of one output to `sums`, of four rows of weights or of one. Apart
/// from the loops around it, so that its values stay in registers.
template <bool kFour, typename Loops>
[[gnu::noinline]] void add_taps(const Loops& loops, const SourceSteps& steps, int32_t rows,
                                int32_t columns, const int8_t* input, const int8_t* weights,
                                int32_t* sums) {
  for (; rows > 0; --rows, input += steps.y_input, weights += steps.y_weights) {
    const int8_t* in = input;
    const int8_t* w = weights;
    for (int32_t x = columns; x > 0; --x, in += steps.x_input, w += steps.x_weights) {
      if constexpr (kFour) {
        loops.four_rows(in, w, sums);
      } else {
        *sums = loops.one_row(in, w, *sums);
      }
    }
  }
}

/// Writes `count` outputs, of channel o and those behind it.
[[gnu::noinline]] inline void rescale_sums(const Conv2dS8Params& p, int32_t o, int32_t count,
                                           const int32_t* sums, int8_t* output) {
  const int32_t zero_point = p.output_zero_point;
  const int32_t min = p.activation_min;
  const int32_t max = p.activation_max;
  const int32_t* multiplier = p.multipliers + o;
  const int32_t* shift = p.shifts + o;
  for (const int32_t* const end = sums + count; sums != end; ++multiplier, ++shift) {
    const int32_t scaled = requantize(*sums++, *multiplier, *shift);
    *output++ = static_cast<int8_t>(clamp(wrapping_add(scaled, zero_point), min, max));
  }
}

/// @returns whether to gather the pixels of each output: with fewer than four output channels, few
///     taps and channels that takes longer than the scalar form.
/// @param[in] few_taps Up to so many are few, fewer than `many_channels` channels, too.
inline bool transpose_rows_pay(const Conv2dS8Params& p, int32_t few_taps, int32_t many_channels) {
  constexpr int32_t kMost = 128;  // where most outputs have no pixel
  const int32_t taps = p.kernel_h * p.kernel_w;
  const int32_t many = p.stride_h * p.stride_w > taps ? kMost : many_channels;
  return p.out_ch >= 4 || taps > few_taps || p.in_ch >= many;
}

/// transpose_conv2d_s8.
/// @param[in] loops Its four_rows(input, weights, sums) adds to int32[4] the products of one pixel,
///     less the zero point, with rows of weights one output channel apart; its one_row(input,
///     weights, sum) returns `sum` and those with one row.
template <typename Loops>
void transpose_conv2d_s8_by_rows(const Conv2dS8Params& p, const int8_t* input,
                                 const int8_t* weights, const int32_t* bias, int8_t* output,
                                 const Loops& loops) {
  const SourceAxis vertical(p.kernel_h, p.stride_h, p.dilation_h, p.pad_top, p.in_h);
  const SourceAxis horizontal(p.kernel_w, p.stride_w, p.dilation_w, p.pad_left, p.in_w);
  const int32_t channel = p.kernel_h * p.kernel_w * p.in_ch;
  const int32_t together = p.out_ch < 4 ? 1 : 4;
  const SourceSteps steps = {vertical.period() * p.kernel_w * p.in_ch,
                             horizontal.period() * p.in_ch, -vertical.back() * p.in_w * p.in_ch,
                             -horizontal.back() * p.in_ch};
  for (int32_t b = 0; b < p.batch; ++b, input += p.in_h * p.in_w * p.in_ch) {
    for (int32_t out_y = 0; out_y < p.out_h; ++out_y) {
      const SourceTaps ys = vertical.at(out_y);
      for (int32_t out_x = 0; out_x < p.out_w; ++out_x, output += p.out_ch) {
        const SourceTaps xs = horizontal.at(out_x);
        const int8_t* const pixel = input + (ys.source * p.in_w + xs.source) * p.in_ch;
        const int8_t* const tap = weights + (ys.first * p.kernel_w + xs.first) * p.in_ch;
        for (int32_t o = 0; o < p.out_ch; o += together) {
          if (o + together > p.out_ch) {
            o = p.out_ch - together;  // some of them once more
          }
          int32_t sums[4] = {};
          for (int32_t i = 0; bias != nullptr && i < together; ++i) {
            sums[i] = bias[o + i];
          }
          if (together == 4) {
            add_taps<true>(loops, steps, ys.count, xs.count, pixel, tap + o * channel, sums);
          } else {
            add_taps<false>(loops, steps, ys.count, xs.count, pixel, tap + o * channel, sums);
          }
          rescale_sums(p, o, together, sums, output + o);
        }
      }
    }
  }
}

/// For loops that do four channels at a time: adds the products of what is left of a pixel.
inline void add_last_channels(const int8_t* input, const int8_t* weights, int32_t in_ch,
                              int32_t row_step, int32_t zero_point, int32_t* sums) {
  for (int32_t k = in_ch & ~3; k < in_ch; ++k) {
    const int32_t value = input[k] - zero_point;
    for (int32_t i = 0; i < 4; ++i) {
      sums[i] = wrapping_add(sums[i], value * weights[i * row_step + k]);
    }
  }
}

}  // namespace mcugen
