// SPDX-License-Identifier: BSD-3-Clause
#include <kernels/select.h>
#include <ops/common/conv_args.h>
#include <ops/packed/operators.h>

namespace mcugen::ops {
namespace {

constexpr char kPackedConvDepthwise[] = "mcugen::packed_conv_depthwise.out";

void packed_conv_depthwise(KernelRuntimeContext& ctx, Span<EValue*> arguments, Layout layout) {
  constexpr ConvArgs::Indices kIndices{5, 6, 14};
  OpArgs args(ctx, arguments, kPackedConvDepthwise, 15);
  const ConvArgs conv(args, kIndices, layout, ScalarType::Int);
  PackedConvDepthwiseS8Params p;
  p.conv = conv.params;
  Conv2dS8Params& c = p.conv;
  p.out_h = c.out_h;
  p.out_w = c.out_w;
  p.stride = args.integer(2, 1, 2);
  args.pair(8, 1, kMaxWindow, c.kernel_h, c.kernel_w);
  args.pair(9, 0, 1, p.pad_top, p.pad_left);
  p.turned = args.integer(12, 0, 1) != 0;
  if (!args.ok() || !args.check(conv.weights->dim() == 1, "rank") ||
      !args.check(static_cast<int64_t>(c.kernel_h) * c.kernel_w <= kMostTaps / c.in_ch, "kernel")) {
    return;
  }
  c.out_h = window_outputs(c.in_h, c.pad_top, c.dilation_h, c.kernel_h, c.stride_h);
  c.out_w = window_outputs(c.in_w, c.pad_left, c.dilation_w, c.kernel_w, c.stride_w);
  args.check(c.out_h >= 1 && c.out_w >= 1 &&
                 p.out_h == window_outputs(c.out_h, p.pad_top, 1, 3, p.stride) &&
                 p.out_w == window_outputs(c.out_w, p.pad_left, 1, 3, p.stride),
             "output shape");
  c.scratch = args.scratch(13);
  const int64_t of_pair = packed_conv_depthwise_words(conv_runs(c).padded);
  const int64_t count = static_cast<int64_t>(conv.weights->numel());
  const int8_t* const in = conv.input->const_data_ptr<int8_t>();
  int8_t* const out = conv.out->mutable_data_ptr<int8_t>();
  if (args.check(c.out_ch % 2 == 0 && of_pair <= count && of_pair * (c.out_ch / 2) == count,
                 "weights") &&
      args.check(out >= in + conv.input->nbytes() || in >= out + conv.out->nbytes(),
                 "place of the output")) {
    packed_conv_depthwise_s8(p, in, conv.weights->const_data_ptr<int32_t>(), out);
  }
}

}  // namespace

void mcugen__packed_conv_depthwise_out(KernelRuntimeContext& ctx, Span<EValue*> args) {
  packed_conv_depthwise(ctx, args, Layout::kDimOrder);
}

void mcugen__packed_conv_depthwise_nhwc_out(KernelRuntimeContext& ctx, Span<EValue*> args) {
  packed_conv_depthwise(ctx, args, Layout::kNhwc);
}

}  // namespace mcugen::ops
