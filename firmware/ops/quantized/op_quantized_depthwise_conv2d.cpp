// SPDX-License-Identifier: BSD-3-Clause
#include <kernels/select.h>
#include <ops/quantized/conv_args.h>
#include <ops/quantized/operators.h>

namespace mcugen::ops {
namespace {

void depthwise_conv2d(KernelRuntimeContext& ctx, Span<EValue*> arguments, Layout layout) {
  constexpr ConvArgs::Indices kIndices{5, 7, 14};
  OpArgs args(ctx, arguments, "cortex_m::quantized_depthwise_conv2d.out", 15);
  ConvArgs conv(args, kIndices, layout);
  const Conv2dS8Params& c = conv.params;
  const int32_t depth_multiplier = args.integer(6, 1, kMaxExtent);
  args.check(depth_multiplier > 0 && c.in_ch <= c.out_ch / depth_multiplier &&
                 c.out_ch == c.in_ch * depth_multiplier,
             "depth multiplier");
  conv.read_weights(args, kIndices, 1, c.out_ch);
  if (!conv.check_output(args)) {
    return;
  }
  DepthwiseConv2dS8Params p;
  p.batch = c.batch;
  p.in_h = c.in_h;
  p.in_w = c.in_w;
  p.in_ch = c.in_ch;
  p.out_h = c.out_h;
  p.out_w = c.out_w;
  p.depth_multiplier = depth_multiplier;
  p.kernel_h = c.kernel_h;
  p.kernel_w = c.kernel_w;
  p.stride_h = c.stride_h;
  p.stride_w = c.stride_w;
  p.pad_top = c.pad_top;
  p.pad_left = c.pad_left;
  p.dilation_h = c.dilation_h;
  p.dilation_w = c.dilation_w;
  p.input_zero_point = c.input_zero_point;
  p.output_zero_point = c.output_zero_point;
  p.activation_min = c.activation_min;
  p.activation_max = c.activation_max;
  p.multipliers = c.multipliers;
  p.shifts = c.shifts;
  p.scratch = args.scratch(13);
  depthwise_conv2d_s8(p, conv.input->const_data_ptr<int8_t>(),
                      conv.weights->const_data_ptr<int8_t>(), conv.bias,
                      conv.out->mutable_data_ptr<int8_t>());
}

}  // namespace

void cortex_m__quantized_depthwise_conv2d_out(KernelRuntimeContext& ctx, Span<EValue*> args) {
  depthwise_conv2d(ctx, args, Layout::kDimOrder);
}

void cortex_m__quantized_depthwise_conv2d_nhwc_out(KernelRuntimeContext& ctx, Span<EValue*> args) {
  depthwise_conv2d(ctx, args, Layout::kNhwc);
}

}  // namespace mcugen::ops
