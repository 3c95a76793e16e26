// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <ops/common/op_args.h>

namespace mcugen::ops {

/// Dimensions that are walked in N tensors side by side, the last one fastest.
template <int32_t N>
struct Axes {
  int32_t rank = 0;
  int32_t sizes[kMaxDims];
  int32_t strides[N][kMaxDims];
  int32_t index[kMaxDims];
  int32_t offsets[N] = {};

  /// Goes to the next element; from the last one to the first.
  void next() {
    for (int32_t d = rank - 1; d >= 0; --d) {
      const bool inside = ++index[d] < sizes[d];
      for (int32_t i = 0; i < N; ++i) {
        offsets[i] += inside ? strides[i][d] : -strides[i][d] * (sizes[d] - 1);
      }
      if (inside) {
        return;
      }
      index[d] = 0;
    }
  }
};

}  // namespace mcugen::ops
