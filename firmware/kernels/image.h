// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <cstdint>

namespace mcugen {

/// Where the elements of an image, or of a convolution's weights, lie: sizes, and the distance of
/// neighbours in elements. NCHW and NHWC differ in the steps only.
struct Image {
  int32_t n, c, h, w;
  int32_t n_step, c_step, h_step, w_step;
};

/// @returns `value`, a NaN as the one NaN 0x7fc00000: which one arithmetic gives depends on the
///     CPU.
inline float one_nan(float value) { return value == value ? value : __builtin_nanf(""); }

}  // namespace mcugen
