// SPDX-License-Identifier: BSD-3-Clause
#include <kernels/depthwise_scratch_s8.h>
#include <kernels/im2col_s8_mla.h>
#include <kernels/product_scratch.h>

namespace mcugen {
namespace {

/// Rows of the output that a depthwise convolution makes at a time.
constexpr int32_t kRows = 8;
/// What planes along the columns of the image may take, which only go as a whole.
constexpr uint32_t kWholePlane = 4096;

/// What rows of the 3x3 loops cost, in fifths of a step.
int64_t row_cost(int32_t rows, int32_t columns) {
  return static_cast<int64_t>(rows) * (1 + 5 * ((columns + 2) / 3));
}

}  // namespace

uint32_t depthwise_conv2d_s8_scratch_mla(const DepthwiseConv2dS8Params& p) {
  if (p.in_ch == 1 && p.depth_multiplier > 1) {
    return product_scratch(as_conv2d(p), convolve_s8_mla_scratch, kProductPixelsMla);
  }
  if (p.kernel_h * p.kernel_w == 1 || p.stride_h * p.stride_w >= 9 || p.out_h * p.out_w <= 4) {
    return 0;
  }
  if (row_cost(p.out_w, p.out_h) < row_cost(p.out_h, p.out_w)) {
    const DepthwiseConv2dS8Params turned = transposed(p);
    const uint32_t whole = depthwise_conv2d_s8_mla_scratch(turned, turned.out_h);
    if (whole <= kWholePlane) {
      return whole;
    }
  }
  return depthwise_conv2d_s8_mla_scratch(p, p.out_h < kRows ? p.out_h : kRows);
}

}  // namespace mcugen
