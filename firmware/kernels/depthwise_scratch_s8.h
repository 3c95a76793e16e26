// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <kernels/depthwise_conv2d_s8.h>

#include <cstdint>

/// How much working memory a depthwise convolution wants: with less it is slow, or takes the scalar
/// form. For operators that are given too little; `program/scratch.py` plans as much
/// (`Need.least`).

namespace mcugen {

/// @returns bytes; 0 where memory makes it no faster. Not inlined: the caller's stack is held while
///     the kernel runs.
[[gnu::noinline]] uint32_t depthwise_conv2d_s8_scratch_mla(const DepthwiseConv2dS8Params& params);
[[gnu::noinline]] uint32_t depthwise_conv2d_s8_scratch_dsp(const DepthwiseConv2dS8Params& params);
[[gnu::noinline]] uint32_t depthwise_conv2d_s8_scratch_mve(const DepthwiseConv2dS8Params& params);
inline uint32_t depthwise_conv2d_s8_scratch_scalar(const DepthwiseConv2dS8Params&) { return 0; }

}  // namespace mcugen
