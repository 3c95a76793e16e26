// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <kernels/conv2d_s8_params.h>
#include <kernels/gemm_s8_mla.h>

#include <cstdint>

namespace mcugen {

/// @returns the bytes of scratch with which convolve_s8_mla() works on `pixels` pixels of the
///     output at a time, at least 2. The more there are, the less often the weights are widened.
uint32_t convolve_s8_mla_scratch(const Conv2dS8Params& params, int32_t pixels);

/// @returns whether convolve_s8_mla() takes so many taps and the output channels of a group, given
///     the scratch.
bool mla_product_pays(const Conv2dS8Params& params, int32_t taps);

/// A convolution as a matrix product: windows of the input become the pixels of `layer`, as many at
/// a time as the scratch holds.
/// @param[in] layer Weights per group one after the other.
/// @returns false, and has done nothing, where the scratch is too small or a group has fewer
///     channels than kGemmS8MlaChannels.
bool convolve_s8_mla(const Conv2dS8Params& params, const GemmS8MlaLayer& layer, const int8_t* input,
                     int8_t* output);

}  // namespace mcugen
