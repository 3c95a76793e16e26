// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <kernels/depthwise_conv2d_s8.h>

#include <cstdint>

/// How much working memory a convolution wants: with less it is slow, or takes the scalar form. For
/// operators that are given too little; `program/scratch.py` plans as much (`Need.least`).

namespace mcugen {

/// @returns bytes; 0 where memory makes it no faster. Not inlined: the caller's stack is held while
///     the kernel runs.
[[gnu::noinline]] uint32_t conv2d_s8_scratch_scalar(const Conv2dS8Params& params);
[[gnu::noinline]] uint32_t conv2d_s8_scratch_mla(const Conv2dS8Params& params);
[[gnu::noinline]] uint32_t conv2d_s8_scratch_dsp(const Conv2dS8Params& params);
[[gnu::noinline]] uint32_t conv2d_s8_scratch_mve(const Conv2dS8Params& params);

/// The same of depthwise convolutions.
[[gnu::noinline]] uint32_t depthwise_conv2d_s8_scratch_scalar(
    const DepthwiseConv2dS8Params& params);
[[gnu::noinline]] uint32_t depthwise_conv2d_s8_scratch_mla(const DepthwiseConv2dS8Params& params);
[[gnu::noinline]] uint32_t depthwise_conv2d_s8_scratch_dsp(const DepthwiseConv2dS8Params& params);
[[gnu::noinline]] uint32_t depthwise_conv2d_s8_scratch_mve(const DepthwiseConv2dS8Params& params);

/// More than this for one algorithm is no least.
constexpr uint32_t kMostLeastScratch = 16384;

/// @returns the bytes of a matrix product of up to `pixels` pixels at a time: fewer where those
///     take more than 8 KB, but a pair.
/// @param[in] fixed, pair Bytes of any number of pixels, and of each two.
inline uint32_t product_scratch(const Conv2dS8Params& p, uint32_t fixed, uint32_t pair,
                                int32_t pixels) {
  constexpr uint32_t kBytes = 8192;
  const uint32_t all = static_cast<uint32_t>(p.batch * p.out_h * p.out_w + 1) / 2;
  const uint32_t room = fixed < kBytes ? (kBytes - fixed) / pair : 0;
  uint32_t pairs = static_cast<uint32_t>(pixels) / 2;
  pairs = pairs < room ? pairs : room > 0 ? room : 1;
  return fixed + (pairs < all ? pairs : all) * pair;
}

}  // namespace mcugen
