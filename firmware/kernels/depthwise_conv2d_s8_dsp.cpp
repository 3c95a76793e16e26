// SPDX-License-Identifier: BSD-3-Clause
#include <kernels/depthwise_conv2d_s8.h>

namespace mcugen {

void depthwise_conv2d_s8_dsp(const DepthwiseConv2dS8Params& p, const int8_t* input,
                             const int8_t* weights, const int32_t* bias, int8_t* output) {
  depthwise_conv2d_s8_scalar(p, input, weights, bias, output);
}

}  // namespace mcugen
