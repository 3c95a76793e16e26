// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <kernels/conv2d_s8_params.h>

#include <cstdint>

namespace mcugen {

/// @returns the bytes of scratch with which winograd_s8_mla() works on `tile_rows` pairs of rows of
///     the output at a time, at least 1, and keeps the transformed weights of `kept` pairs of
///     output channels. Those of the others are transformed anew each time.
uint32_t winograd_s8_mla_scratch(const Conv2dS8Params& params, int32_t tile_rows, int32_t kept);

/// A 3x3 convolution of stride 1 by Winograd's F(2x2, 3x3) in integers, which is exact: 16 products
/// per channel for four outputs instead of 36. Pointers as conv2d_s8_scalar(). For Armv7-M.
///
/// Takes an even out_h, an out_w that is a multiple of 4, an even in_ch of at most 64, out_ch of at
/// least 2; no groups, no dilation; shifts from -22 to -1 or below -29; and sums of less than 2^29.
/// @returns false, and has done nothing, for what it does not take, where the scratch is too small,
///     and where so few pixels at a time take more cycles than the matrix product of
///     convolve_s8_mla().
bool winograd_s8_mla(const Conv2dS8Params& params, const int8_t* input, const int8_t* weights,
                     const int32_t* bias, int8_t* output);

}  // namespace mcugen
