// SPDX-License-Identifier: BSD-3-Clause
#include <kernels/select.h>
#include <ops/common/conv_args.h>
#include <ops/common/lent_scratch.h>
#include <ops/quantized/operators.h>

namespace mcugen::ops {
namespace {

constexpr char kDepthwise[] = "cortex_m::quantized_depthwise_conv2d.out";
constexpr char kDepthwiseInPlace[] = "mcugen::depthwise_conv2d_in_place.out";

void depthwise_conv2d(KernelRuntimeContext& ctx, Span<EValue*> arguments, Layout layout,
                      const char* op, bool in_place) {
  constexpr ConvArgs::Indices kIndices{5, 7, 14};
  OpArgs args(ctx, arguments, op, 15);
  ConvArgs conv(args, kIndices, layout);
  const Conv2dS8Params& c = conv.params;
  const int32_t depth_multiplier = args.integer(6, 1, kMaxExtent);
  args.check(depth_multiplier > 0 && c.in_ch <= c.out_ch / depth_multiplier &&
                 c.out_ch == c.in_ch * depth_multiplier,
             "depth multiplier");
  conv.read_weights(args, kIndices, 1, c.out_ch);
  // Kernels go through the image once per channel: what they write must be of the same channel.
  const int32_t unit = depth_multiplier == 1 ? c.in_ch : 0;
  if (!(in_place ? conv.check_in_place(args, unit) : conv.check_output(args))) {
    return;
  }
  DepthwiseConv2dS8Params p;
  static_cast<Conv2dS8Params&>(p) = c;
  p.groups = c.in_ch;
  p.depth_multiplier = depth_multiplier;
  p.scratch = args.scratch(13);
  if (args.ok()) {
    p.scratch = lent_scratch(ctx, p.scratch, forms::kTemp ? depthwise_conv2d_s8_scratch(p) : 0);
    depthwise_conv2d_s8(p, conv.input->const_data_ptr<int8_t>(),
                        conv.weights->const_data_ptr<int8_t>(), conv.bias,
                        conv.out->mutable_data_ptr<int8_t>());
  }
}

}  // namespace

void cortex_m__quantized_depthwise_conv2d_out(KernelRuntimeContext& ctx, Span<EValue*> args) {
  depthwise_conv2d(ctx, args, Layout::kDimOrder, kDepthwise, false);
}

void cortex_m__quantized_depthwise_conv2d_nhwc_out(KernelRuntimeContext& ctx, Span<EValue*> args) {
  depthwise_conv2d(ctx, args, Layout::kNhwc, kDepthwise, false);
}

void mcugen__depthwise_conv2d_in_place_out(KernelRuntimeContext& ctx, Span<EValue*> args) {
  depthwise_conv2d(ctx, args, Layout::kDimOrder, kDepthwiseInPlace, true);
}

void mcugen__depthwise_conv2d_in_place_nhwc_out(KernelRuntimeContext& ctx, Span<EValue*> args) {
  depthwise_conv2d(ctx, args, Layout::kNhwc, kDepthwiseInPlace, true);
}

}  // namespace mcugen::ops
