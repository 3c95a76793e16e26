// SPDX-License-Identifier: BSD-3-Clause
// Prints the bytes of scratch that kernels ask for: one line per line of sixteen numbers read, the
// sizes of a convolution in the order of Conv2dS8Params.

#include <kernels/conv2d_s8_mve_plan.h>
#include <kernels/conv2d_scratch_s8.h>
#include <kernels/depthwise_scratch_s8.h>
#include <kernels/im2col_s8_dsp.h>
#include <kernels/im2col_s8_mla.h>
#include <kernels/packed_conv_depthwise_s8.h>
#include <kernels/winograd4_s8.h>
#include <kernels/winograd_s8_dsp.h>
#include <kernels/winograd_s8_mla.h>

#include <climits>
#include <cstdio>

/// Behind a convolution a depthwise one, of stride and axis by its sizes.
mcugen::PackedConvDepthwiseS8Params joined(const mcugen::Conv2dS8Params& conv) {
  mcugen::PackedConvDepthwiseS8Params p{};
  p.conv = conv;
  p.stride = 1 + conv.in_ch % 2;
  p.pad_top = p.pad_left = 1;
  p.turned = conv.out_ch % 2 != 0;
  p.out_h = (conv.out_h - 1) / p.stride + 1;
  p.out_w = (conv.out_w - 1) / p.stride + 1;
  return p;
}

/// A depthwise one of the same window: every third of one input channel, some of multiplier 2.
mcugen::DepthwiseConv2dS8Params depthwise(const mcugen::Conv2dS8Params& conv) {
  mcugen::DepthwiseConv2dS8Params p{};
  static_cast<mcugen::Conv2dS8Params&>(p) = conv;
  p.in_ch = p.groups = conv.out_ch % 3 == 0 ? 1 : conv.in_ch;
  p.depth_multiplier = 1 + conv.out_ch % 2;
  p.out_ch = p.in_ch * p.depth_multiplier;
  return p;
}

int main() {
  mcugen::Conv2dS8Params p{};
  while (scanf("%d %d %d %d %d %d %d %d %d %d %d %d %d %d %d %d", &p.batch, &p.in_h, &p.in_w,
               &p.in_ch, &p.out_h, &p.out_w, &p.out_ch, &p.kernel_h, &p.kernel_w, &p.groups,
               &p.stride_h, &p.stride_w, &p.pad_top, &p.pad_left, &p.dilation_h,
               &p.dilation_w) == 16) {
    const mcugen::MveConvPlan plan(p);
    const mcugen::DepthwiseConv2dS8Params d = depthwise(p);
    printf("%u %u %u %u %u %u ", mcugen::conv2d_s8_scratch_dsp(p), mcugen::conv2d_s8_scratch_mla(p),
           mcugen::conv2d_s8_scratch_mve(p), mcugen::depthwise_conv2d_s8_scratch_dsp(d),
           mcugen::depthwise_conv2d_s8_scratch_mla(d), mcugen::depthwise_conv2d_s8_scratch_mve(d));
    printf("%u %u %u %u %u %u %u %u %u %u %u\n", mcugen::convolve_s8_scratch(p, 16),
           mcugen::convolve_s8_mla_scratch(p, 48), plan.possible ? plan.least_bytes() : 0,
           plan.possible ? plan.scratch_bytes(INT_MAX) : 0,
           mcugen::winograd_s8_scratch(p, 1, (p.out_ch + 1) / 2),
           mcugen::winograd_s8_scratch(p, p.out_h / 2 > 0 ? p.out_h / 2 : 1, 1),
           mcugen::winograd_s8_mla_scratch(p, 1, (p.out_ch + 1) / 2),
           mcugen::winograd_s8_mla_scratch(p, p.out_h / 2 > 0 ? p.out_h / 2 : 1, 0),
           mcugen::winograd4_s8_scratch(p), mcugen::packed_conv_depthwise_s8_scratch(joined(p), 1),
           mcugen::packed_conv_depthwise_s8_scratch(joined(p), p.out_h + p.out_w));
  }
}
