// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <kernels/conv2d_s8_params.h>

#include <cstdint>

/// What the least of scratch comes to where convolutions are matrix products.

namespace mcugen {

/// Pixels at a time with the DSP extension, and without.
constexpr int32_t kProductPixelsDsp = 42;
constexpr int32_t kProductPixelsMla = 48;

/// More than this for one algorithm is no least.
constexpr uint32_t kMostLeastScratch = 16384;

/// @returns the bytes of a matrix product of up to `pixels` pixels at a time: fewer where those
///     take more than 8 KB, but a pair.
/// @param[in] bytes_of The bytes of so many pixels: convolve_s8_scratch(), ...
inline uint32_t product_scratch(const Conv2dS8Params& p,
                                uint32_t (*bytes_of)(const Conv2dS8Params&, int32_t),
                                int32_t pixels) {
  const uint32_t fixed = bytes_of(p, 0);
  const uint32_t pair = bytes_of(p, 2) - fixed;
  constexpr uint32_t kBytes = 8192;
  const uint32_t all = static_cast<uint32_t>(p.batch * p.out_h * p.out_w + 1) / 2;
  const uint32_t room = fixed < kBytes ? (kBytes - fixed) / pair : 0;
  uint32_t pairs = static_cast<uint32_t>(pixels) / 2;
  pairs = pairs < room ? pairs : room > 0 ? room : 1;
  return fixed + (pairs < all ? pairs : all) * pair;
}

}  // namespace mcugen
