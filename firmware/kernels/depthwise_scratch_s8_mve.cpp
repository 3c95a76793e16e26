// SPDX-License-Identifier: BSD-3-Clause
#include <kernels/conv2d_s8_mve_plan.h>
#include <kernels/depthwise_conv2d_s8_mve_strips.h>
#include <kernels/depthwise_scratch_s8.h>

namespace mcugen {
namespace {

/// What a strip may have at least, about what a convolution of 64 channels takes.
constexpr uint32_t kStripBytes = 704;

uint32_t least(const MveConvPlan& plan) { return plan.possible ? plan.least_bytes() : 0; }

}  // namespace

uint32_t depthwise_conv2d_s8_scratch_mve(const DepthwiseConv2dS8Params& p) {
  if (!mve_takes_3x3(p)) {
    return p.in_ch == 1 ? least(MveConvPlan(as_conv2d(p), true)) : 0;
  }
  const MveStrips strips(p);
  int32_t rows = p.out_h;
  while (rows > 4 && strips.bytes(strips.columns(), rows) > kStripBytes) {
    --rows;
  }
  return strips.bytes(strips.columns(), rows);
}

}  // namespace mcugen
