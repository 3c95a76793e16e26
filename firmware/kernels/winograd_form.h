// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <kernels/conv2d_s8_params.h>

#include <cstdint>

/// What Winograd's F(2x2, 3x3) takes, with the DSP extension and packed ahead of time, and F(4x4).

namespace mcugen {

/// Most input channels that mcugen_dsp_winograd_products is unrolled for.
constexpr int32_t kWinogradMostInCh = 64;

/// @returns how many columns of the tiles are inside of the image.
inline int32_t winograd_columns_inside(const Conv2dS8Params& p) {
  const int32_t right = p.out_w + 2 - p.pad_left;
  return right < p.in_w ? right : p.in_w;
}

/// @returns whether a convolution has a form that the loops take.
inline bool winograd_has_form(const Conv2dS8Params& p) {
  return p.kernel_h == 3 && p.kernel_w == 3 && p.stride_h == 1 && p.stride_w == 1 &&
         p.dilation_h == 1 && p.dilation_w == 1 && p.groups == 1 && p.in_ch > 0 &&
         p.in_ch <= kWinogradMostInCh && p.in_ch % 4 == 0 && p.out_ch >= 2 && p.out_h > 0 &&
         p.out_h % 2 == 0 && p.out_w > 0 && p.out_w <= INT16_MAX && p.out_w % 4 == 0 &&
         winograd_columns_inside(p) >= 1;
}

/// Words of a pair of output channels: transformed weights and what rescales their sums.
inline int32_t winograd4_words(int32_t in_ch) { return 36 * in_ch + 20; }

/// @returns whether winograd4_s8 takes a convolution of this shape: 3x3, of stride 1, without
///     groups and dilation, of up to 64 input channels in fours and an even number of output
///     channels.
inline bool winograd4_has_form(const Conv2dS8Params& p) {
  return p.kernel_h == 3 && p.kernel_w == 3 && p.stride_h == 1 && p.stride_w == 1 &&
         p.dilation_h == 1 && p.dilation_w == 1 && p.groups == 1 && p.in_ch > 0 &&
         p.in_ch <= kWinogradMostInCh && p.in_ch % 4 == 0 && p.out_ch > 0 && p.out_ch % 2 == 0 &&
         p.out_h > 0 && p.out_w > 0 && p.out_w <= INT16_MAX && p.pad_top >= 0 && p.pad_top <= 2 &&
         p.pad_left >= 0 && p.pad_left <= 2;
}

}  // namespace mcugen
