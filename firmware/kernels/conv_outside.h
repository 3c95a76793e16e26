// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <kernels/conv2d_s8_params.h>

#include <cstdint>

/// Where a convolution takes fewer instructions by the scalar form than by a matrix product. The
/// product multiplies every tap; the scalar form leaves out those outside of the image, which
/// are the most of a window larger than the image. `program/packing/conv_costs.py` repeats this.

namespace mcugen {

/// Instructions, about.
struct ConvCosts {
  uint32_t product;        ///< Of a matrix product in any case.
  uint32_t group;          ///< And for each group,
  uint32_t channel;        ///< each output channel,
  uint32_t run;            ///< each row of taps of a pixel, or each tap where they lie apart,
  uint32_t tap;            ///< each number of a window,
  uint32_t eight_macs;     ///< and eight products.
  uint32_t scalar_output;  ///< Of the scalar form for each output,
  uint32_t scalar_mac;     ///< and each product.
};

/// @returns how many taps of all outputs along an axis lie inside of the image.
inline int32_t taps_inside(int32_t in, int32_t out, int32_t pad, int32_t kernel, int32_t stride,
                           int32_t dilation) {
  int32_t sum = 0;
  int32_t place = -pad;  // of this tap, for the first output
  for (int32_t tap = 0; tap < kernel && place < in; ++tap, place += dilation) {
    int32_t first = place < 0 ? stride - 1 - place : 0;
    int32_t end = in - 1 - place;
    if (stride != 1) {  // some cores have no division
      first /= stride;
      end /= stride;
    }
    ++end;
    const int32_t last = end < out ? end : out;
    sum += last > first ? last - first : 0;
  }
  return sum;
}

/// @returns whether less than half of the windows along an axis lie inside of the image.
inline bool few_windows_inside(int32_t in, int32_t out, int32_t kernel, int32_t stride,
                               int32_t dilation) {
  return 2 * (in - (kernel - 1) * dilation - 1 + stride) < out * stride;
}

/// @returns whether the scalar form is quicker. Asks only where few windows lie inside of the
///     image, or outputs are next to none. Wraps at 32 bits, and then may choose the slower one.
/// @param[in] pixels_at_once (): of outputs that the scratch has room for.
template <typename PixelsAtOnce>
bool scalar_conv_is_quicker(const Conv2dS8Params& p, const ConvCosts& costs,
                            PixelsAtOnce pixels_at_once) {
  const int32_t pixels = p.batch * p.out_h * p.out_w;
  if (pixels >= 4 && !few_windows_inside(p.in_h, p.out_h, p.kernel_h, p.stride_h, p.dilation_h) &&
      !few_windows_inside(p.in_w, p.out_w, p.kernel_w, p.stride_w, p.dilation_w)) {
    return false;
  }
  const int32_t at_once = pixels_at_once();
  if (at_once <= 0) {
    return true;  // there is no other
  }
  const uint32_t groups = static_cast<uint32_t>(p.groups);
  const uint32_t in_ch = static_cast<uint32_t>(p.in_ch / p.groups);
  const uint32_t out_ch = static_cast<uint32_t>(p.out_ch);
  const uint32_t taps = static_cast<uint32_t>(p.kernel_h * p.kernel_w) * in_ch;
  const uint32_t runs =
      static_cast<uint32_t>(p.kernel_h * (p.groups == 1 && p.dilation_w == 1 ? 1 : p.kernel_w));
  const uint32_t inside = static_cast<uint32_t>(
      p.batch * taps_inside(p.in_h, p.out_h, p.pad_top, p.kernel_h, p.stride_h, p.dilation_h) *
      taps_inside(p.in_w, p.out_w, p.pad_left, p.kernel_w, p.stride_w, p.dilation_w));
  const uint32_t outputs = static_cast<uint32_t>(pixels) * out_ch;
  const uint32_t scalar =
      costs.scalar_output * outputs + costs.scalar_mac * inside * in_ch * out_ch;
  uint32_t blocks = 1;
  for (int32_t done = at_once; done < pixels; done += at_once) {
    ++blocks;
  }
  const uint32_t product =
      costs.product + blocks * (costs.group * groups + (costs.channel + 2 * taps) * out_ch) +
      groups * static_cast<uint32_t>(pixels) * (costs.run * runs + costs.tap * taps) +
      (outputs * taps * costs.eight_macs >> 3);
  return scalar < product;
}

}  // namespace mcugen
