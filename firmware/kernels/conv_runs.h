// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <kernels/conv2d_s8_params.h>

#include <cstdint>

namespace mcugen {

/// @returns taps rounded up to whole groups of four.
inline int32_t padded_run(int32_t taps) { return (taps + 3) & ~3; }

/// How the taps of a window are laid out for products of two pixels by two output channels: each
/// row of them filled up to a multiple of four, where that is not much more than all of them
/// together. Three rows of nine, of an image of three colours, have a form of their own: the first
/// eight taps of each row, then the ninth of all three and one that does not count.
struct ConvRuns {
  int32_t runs, run, padded;
  bool nine;
};

inline ConvRuns conv_runs(const Conv2dS8Params& p) {
  const int32_t run = p.kernel_w * (p.in_ch / p.groups);
  const int32_t by_rows = p.kernel_h * padded_run(run);
  const int32_t together = padded_run(p.kernel_h * run);
  const bool nine = p.kernel_h == 3 && run == 9 && p.in_ch == 3 && p.dilation_w == 1;
  return !nine && 3 * by_rows <= 4 * together ? ConvRuns{p.kernel_h, run, by_rows, false}
                                              : ConvRuns{1, p.kernel_h * run, together, nine};
}

}  // namespace mcugen
