// SPDX-License-Identifier: BSD-3-Clause
#include <kernels/conv_scratch_s8.h>

namespace mcugen {

uint32_t conv2d_s8_scratch_scalar(const Conv2dS8Params&) { return 0; }

uint32_t depthwise_conv2d_s8_scratch_scalar(const DepthwiseConv2dS8Params&) { return 0; }

}  // namespace mcugen
