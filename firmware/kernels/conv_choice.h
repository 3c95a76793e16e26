// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <kernels/conv2d_s8_params.h>

#include <cstdint>

/// Where a convolution takes fewer instructions by the scalar form than by a matrix product. That
/// multiplies every tap, and has weights and windows to lay out: where windows lie outside of the
/// image, pixels are few, the scratch is little or groups are small, it is the slower one.
/// `program/packing/scalar_choice.py` repeats this.

namespace mcugen {

/// Instructions of a matrix product, about; of those with "eighths" in eighths.
struct ProductCosts {
  uint32_t call;
  uint32_t block;                         ///< Per block of pixels and group,
  uint32_t channel, channel_tap_eighths;  ///< and per block and channel: weights.
  uint32_t window, run, tap_eighths;      ///< Per pixel and group: a window, its runs, its taps.
  uint32_t run_apart;                     ///< A run of one pixel.
  uint32_t odd_byte;                      ///< And of each run what is more than whole words.
  uint32_t whole_run, whole_tap_eighths;  ///< The same of windows that are read where they are.
  uint32_t output, mac_eighths;
  uint32_t channels;  ///< That are multiplied at a time.
  uint32_t doubt;     ///< The estimate is off by one such part, more or less.
  uint32_t choice;    ///< Of the estimate itself.
};

/// `doubt` of a depthwise convolution of one input channel, whose scalar form is another.
constexpr uint32_t kDoubtApart = 2;

/// The same of the scalar form. A run is what lies side by side in image and weights.
struct ScalarCosts {
  uint32_t call, pixel, output, row, run, mac_eighths;
};

/// @returns how many taps of all outputs along an axis lie inside of the image. Without division,
///     which some cores lack; its time goes with the padding and the kernel, not with the image.
inline int32_t taps_inside(int32_t in, int32_t out, int32_t pad, int32_t kernel, int32_t stride,
                           int32_t dilation) {
  int32_t sum = 0;
  int32_t place = -pad;  // of this tap, for the first output
  int32_t first = 0;     // output of which it is inside
  int32_t at_first = place;
  while (at_first < 0) {
    at_first += stride;
    ++first;
  }
  int32_t end = out;
  int32_t at_last = place + (out - 1) * stride;
  for (int32_t tap = 0; tap < kernel && place < in; ++tap) {
    while (end > 0 && at_last >= in) {
      at_last -= stride;
      --end;
    }
    sum += end > first ? end - first : 0;
    place += dilation;
    at_first += dilation;
    at_last += dilation;
    while (first > 0 && at_first >= stride) {
      at_first -= stride;
      --first;
    }
  }
  return sum;
}

/// @returns how many windows along an axis lie inside of the image.
/// @param[in] reach From the first tap to the last.
inline int32_t windows_inside(int32_t in, int32_t out, int32_t pad, int32_t reach, int32_t stride) {
  int32_t first = 0;
  for (int32_t place = -pad; place < 0; place += stride) {
    ++first;
  }
  int32_t end = out;
  for (int32_t last = (out - 1) * stride - pad + reach; end > first && last >= in; last -= stride) {
    --end;
  }
  return end > first ? end - first : 0;
}

/// @returns how many windows along an axis have some of the image between first and last tap.
inline int32_t windows_touching(int32_t in, int32_t out, int32_t pad, int32_t reach,
                                int32_t stride) {
  int32_t first = 0;
  for (int32_t last = reach - pad; last < 0; last += stride) {
    ++first;
  }
  int32_t end = out;
  for (int32_t place = (out - 1) * stride - pad; end > first && place >= in; place -= stride) {
    --end;
  }
  return end > first ? end - first : 0;
}

/// A convolution in numbers of what it does.
struct ConvWork {
  /// @param[in] read_in_place Whether windows inside of the image are not copied.
  ConvWork(const Conv2dS8Params& p, bool read_in_place)
      : groups(static_cast<uint32_t>(p.groups)),
        in_ch(static_cast<uint32_t>(p.groups == 1 ? p.in_ch : p.in_ch / p.groups)),
        pixels(static_cast<uint32_t>(p.batch * p.out_h * p.out_w)),
        together(p.groups == 1 && p.dilation_w == 1) {
    const auto rows_inside = static_cast<uint32_t>(
        taps_inside(p.in_h, p.out_h, p.pad_top, p.kernel_h, p.stride_h, p.dilation_h));
    const auto columns_inside = static_cast<uint32_t>(
        taps_inside(p.in_w, p.out_w, p.pad_left, p.kernel_w, p.stride_w, p.dilation_w));
    const auto batch = static_cast<uint32_t>(p.batch);
    rows = batch * rows_inside *
           static_cast<uint32_t>(windows_touching(p.in_w, p.out_w, p.pad_left,
                                                  (p.kernel_w - 1) * p.dilation_w, p.stride_w));
    taps = batch * rows_inside * columns_inside;
    whole = 0;
    if (p.kernel_h == 1 && p.kernel_w == 1 && p.groups == 1 && p.stride_h == 1 && p.stride_w == 1 &&
        p.pad_top == 0 && p.pad_left == 0) {
      whole = pixels;
    } else if (read_in_place) {
      const int32_t reach_h = (p.kernel_h - 1) * p.dilation_h;
      const int32_t reach_w = (p.kernel_w - 1) * p.dilation_w;
      whole = batch * static_cast<uint32_t>(
                          windows_inside(p.in_h, p.out_h, p.pad_top, reach_h, p.stride_h) *
                          windows_inside(p.in_w, p.out_w, p.pad_left, reach_w, p.stride_w));
    }
  }

  /// Takes a part of it, so that estimates stay inside 32 bits.
  void scale(int32_t shift) {
    pixels >>= shift;
    rows >>= shift;
    taps >>= shift;
    whole >>= shift;
  }

  uint32_t groups;
  uint32_t in_ch;   ///< Of a group.
  uint32_t pixels;  ///< Of the output,
  uint32_t whole;   ///< those whose windows are read where they are,
  uint32_t rows;    ///< the rows of taps inside of the image, of windows that have some,
  uint32_t taps;    ///< and the taps.
  bool together;    ///< Whether a row of taps is one run.
};

/// @returns whether the scalar form is quicker even if no window reaches over the image, or as
/// quick
///     as to find that out.
inline bool is_small(const Conv2dS8Params& p, const ProductCosts& product,
                     const ScalarCosts& scalar, uint32_t taps) {
  constexpr uint32_t kMostOutputs = 4096;
  constexpr uint32_t kMostTaps = 4096;
  const uint32_t pixels = static_cast<uint32_t>(p.batch * p.out_h * p.out_w);
  const uint32_t out_ch = static_cast<uint32_t>(p.out_ch);
  if (pixels > kMostOutputs || out_ch > kMostOutputs || pixels * out_ch > kMostOutputs ||
      taps > kMostTaps) {
    return false;
  }
  const bool together = p.groups == 1 && p.dilation_w == 1;
  const uint32_t kernel_h = static_cast<uint32_t>(p.kernel_h);
  const uint32_t runs = together ? kernel_h : kernel_h * static_cast<uint32_t>(p.kernel_w);
  const uint32_t most_by_scalar = scalar.call + pixels * scalar.pixel +
                                  pixels * out_ch *
                                      (scalar.output + scalar.row * kernel_h + scalar.run * runs +
                                       (scalar.mac_eighths * taps >> 3));
  const uint32_t least_by_product =
      product.call + static_cast<uint32_t>(p.groups) * product.block +
      out_ch * (product.channel + (product.channel_tap_eighths * taps >> 3)) +
      (pixels + pixels % 2) * out_ch * (product.output + (product.mac_eighths * taps >> 3));
  return most_by_scalar < least_by_product + product.choice;
}

/// @returns whether the scalar form is quicker.
/// @param[in] fixed, pair Bytes of scratch that a product takes, and that each two pixels do.
/// @param[in] padded Taps of a window as the product has them.
/// @param[in] read_in_place As ConvWork().
inline bool scalar_conv_is_quicker(const Conv2dS8Params& p, const ProductCosts& product,
                                   const ScalarCosts& scalar, uint32_t fixed, uint32_t pair,
                                   int32_t padded, bool read_in_place) {
  if (p.scratch.bytes < fixed + pair) {
    return true;  // there is no other
  }
  const uint32_t taps = static_cast<uint32_t>(padded);
  const uint32_t kernel_h = static_cast<uint32_t>(p.kernel_h);
  const uint32_t out_ch = static_cast<uint32_t>(p.out_ch);
  if (is_small(p, product, scalar, taps)) {
    return true;
  }
  ConvWork work(p, read_in_place);
  uint32_t blocks = 1;
  const uint32_t pairs = (work.pixels + 1) / 2;              // what is left over makes one
  if ((p.scratch.bytes - fixed) < uint64_t{pair} * pairs) {  // some cores have no division
    blocks = (pairs - 1) / ((p.scratch.bytes - fixed) / pair) + 1;
  }
  const uint32_t group_out_ch =
      static_cast<uint32_t>(p.groups == 1 ? p.out_ch : p.out_ch / p.groups);
  const uint32_t channels =
      out_ch + (product.channels == 2 && group_out_ch % 2 != 0 ? work.groups : 0);
  constexpr int32_t kMostBits = 23;
  int32_t shift = 0;
  while (static_cast<uint64_t>(work.pixels >> shift) * channels * taps >> kMostBits != 0) {
    ++shift;
  }
  work.scale(shift);
  blocks = blocks >> shift > 1 ? blocks >> shift : 1;

  const uint32_t runs = work.together ? kernel_h : kernel_h * static_cast<uint32_t>(p.kernel_w);
  const uint32_t run = work.together ? static_cast<uint32_t>(p.kernel_w) * work.in_ch : work.in_ch;
  const uint32_t by_scalar = scalar.call + scalar.pixel * work.pixels +
                             out_ch * (scalar.output * work.pixels + scalar.row * work.rows +
                                       scalar.run * (work.together ? work.rows : work.taps) +
                                       (scalar.mac_eighths * work.taps * work.in_ch >> 3));
  const uint32_t cut = (work.pixels - work.whole) * work.groups;
  const uint32_t by_product =
      product.call + blocks * work.groups * product.block +
      blocks * channels * (product.channel + (product.channel_tap_eighths * taps >> 3)) +
      cut * (product.window +
             ((work.together ? product.run : product.run_apart) + product.odd_byte * (run % 4)) *
                 runs +
             (product.tap_eighths * taps >> 3)) +
      work.whole * (product.whole_run * kernel_h + (product.whole_tap_eighths * taps >> 3)) +
      (work.pixels + work.pixels % 2) * channels *
          (product.output + (product.mac_eighths * taps >> 3));
  // In doubt, what is known to be no slower.
  return by_scalar < by_product + by_product / product.doubt;
}

}  // namespace mcugen
