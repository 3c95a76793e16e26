// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <kernels/conv2d_s8_params.h>
#include <kernels/gemm_s8_dsp.h>

#include <cstdint>

namespace mcugen {

/// @returns the bytes of scratch with which convolve_s8() works on `pixels` pixels of the output at
///     a time, at least 2. The more there are, the less often the weights are widened.
uint32_t convolve_s8_scratch(const Conv2dS8Params& params, int32_t pixels);

/// A convolution as a matrix product: windows of the input become the pixels of `layer`, as many at
/// a time as the scratch holds.
/// @param[in,out] layer As gemm_s8_prepare() takes it; weights per group one after the other.
/// @returns false, and has done nothing, where the scratch is too small or the layer is not fit.
bool convolve_s8(const Conv2dS8Params& params, GemmS8Layer& layer, const int8_t* input,
                 int8_t* output);

}  // namespace mcugen
