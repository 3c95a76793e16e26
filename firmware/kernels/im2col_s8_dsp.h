// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <kernels/conv2d_s8_params.h>
#include <kernels/gemm_s8_dsp.h>

#include <cstdint>

namespace mcugen {

/// @returns the bytes of scratch with which convolve_s8() works on `pixels` pixels of the output at
///     a time, at least 2. The more there are, the less often the weights are widened.
uint32_t convolve_s8_scratch(const Conv2dS8Params& params, int32_t pixels);

/// A convolution as a matrix product: windows of the input become its pixels, as many at a time as
/// the scratch holds.
/// @param[in] channel_step, tap_step Elements from the weights of an output channel to those of the
///     next, and from a tap to the next.
/// @returns false, and has done nothing, where the scratch is too small or gemm_s8_prepare() says
///     no.
bool convolve_s8(const Conv2dS8Params& params, const int8_t* input, const int8_t* weights,
                 int32_t channel_step, int32_t tap_step, const int32_t* bias, int8_t* output);

/// The same of weights packed ahead of time, as PackedConvForm::kPairs has them.
uint32_t convolve_packed_s8_scratch(const Conv2dS8Params& params, int32_t pixels);

/// Writes windows of a convolution without groups as McugenDspTiles wants them: `rows` runs of
/// `count`, each of pairs and, of an odd count, a last one that is the second of its pair.
/// @param[in] pixel, step, row_step The first, and how many on the next of a run and the next run
///     lie, among all pixels of the convolution's output.
/// @param[in] bytes 2 * padded + 8 bytes, to be written over.
void write_windows_s8(const Conv2dS8Params& params, const int8_t* input, int32_t pixel,
                      int32_t step, int32_t count, int32_t row_step, int32_t rows, int8_t* bytes,
                      int16_t* out);

/// @returns the bytes of a copy of the image with its border, so that no window is cut; 0 where
///     there is none to be made.
uint32_t border_s8_bytes(const Conv2dS8Params& params);

/// Makes one at the begin of the scratch, which `params` then has no more, and reads it.
/// @returns the image to read.
const int8_t* write_border_s8(Conv2dS8Params& params, const int8_t* input);

/// @returns false, and has done nothing, where the scratch is too small.
bool convolve_packed_s8(const Conv2dS8Params& params, const int8_t* input, const int32_t* words,
                        int8_t* output);

}  // namespace mcugen
