// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <kernels/conv2d_s8_params.h>

#include <cstdint>

namespace mcugen {

/// @returns the bytes of scratch with which winograd_s8() works on `tile_rows` pairs of rows of the
///     output at a time and has room for the transformed weights of `pairs` pairs of output
///     channels; at least 1 each. All but pairs - 1 are transformed anew each time, if there are
///     more than `pairs`.
uint32_t winograd_s8_scratch(const Conv2dS8Params& params, int32_t tile_rows, int32_t pairs);

/// A 3x3 convolution of stride 1 by Winograd's F(2x2, 3x3) in integers, which is exact: 16 products
/// per channel for four outputs instead of 36. Pointers as conv2d_s8_scalar().
///
/// Takes an even out_h, an out_w that is a multiple of 4, an in_ch that is one and at most 64,
/// out_ch of at least 2; no groups, no dilation; shifts below 0; and sums of less than 2^28.
/// @returns false, and has done nothing, for what it does not take, where the scratch is too small,
///     and where so few pixels at a time take more instructions than the matrix product of
///     convolve_s8().
bool winograd_s8(const Conv2dS8Params& params, const int8_t* input, const int8_t* weights,
                 const int32_t* bias, int8_t* output);

/// The same of weights transformed ahead of time, as PackedConvForm::kWinograd2 has them, of what
/// winograd_has_form() takes.
/// @returns false, and has done nothing, where the scratch is smaller than
///     winograd_s8_scratch(params, 1, 0).
bool winograd_packed_s8(const Conv2dS8Params& params, const int8_t* input, const int32_t* words,
                        int8_t* output);

}  // namespace mcugen
