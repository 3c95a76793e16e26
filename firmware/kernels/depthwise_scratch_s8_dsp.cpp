// SPDX-License-Identifier: BSD-3-Clause
#include <kernels/depthwise_scratch_s8.h>
#include <kernels/im2col_s8_dsp.h>
#include <kernels/product_scratch.h>

namespace mcugen {
namespace {

/// Rows of the output that a depthwise convolution makes at a time, and planes that they take.
constexpr int32_t kRows = 8;
constexpr int32_t kPlanes = 4;
/// Columns of a short and a long row of a plane: two bytes each.
constexpr int32_t kShort = 32;
constexpr int32_t kLong = 64;

/// Instructions of rows of so many outputs, about.
int32_t cost(int32_t columns, int32_t rows) {
  return rows * (30 + columns / 2 * 25 + columns % 2 * 19);
}

}  // namespace

uint32_t depthwise_conv2d_s8_scratch_dsp(const DepthwiseConv2dS8Params& p) {
  if (p.in_ch == 1) {
    return p.depth_multiplier > 1
               ? product_scratch(as_conv2d(p), convolve_s8_scratch, kProductPixelsDsp)
               : 0;
  }
  if (p.in_ch < kPlanes || p.kernel_h != 3 || p.kernel_w != 3 || p.dilation_h != 1 ||
      p.dilation_w != 1 || p.stride_h != p.stride_w || p.stride_w > 2) {
    return 0;
  }
  const int32_t stride = p.stride_w;
  const int32_t widest = ((kLong - 4) / stride) & ~1;
  const bool turned = cost(p.out_w, p.out_h) > cost(p.out_h, p.out_w) && p.out_h <= widest;
  const int32_t along = turned ? p.out_h : p.out_w;
  const int32_t across = turned ? p.out_w : p.out_h;
  const int32_t tiles = (along + widest - 1) / widest;
  const int32_t width = tiles == 1 ? along : ((along + tiles - 1) / tiles + 1) & ~1;
  const int32_t columns = stride * width + 4 - stride <= kShort ? kShort : kLong;
  const int32_t rows = across < kRows ? across : kRows;
  return static_cast<uint32_t>(kPlanes * 2 * columns * ((rows - 1) * stride + 3));
}

}  // namespace mcugen
