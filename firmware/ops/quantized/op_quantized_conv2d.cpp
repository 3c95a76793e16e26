// SPDX-License-Identifier: BSD-3-Clause
#include <kernels/select.h>
#include <ops/common/conv_args.h>
#include <ops/common/lent_scratch.h>
#include <ops/quantized/operators.h>

namespace mcugen::ops {
namespace {

constexpr char kConv2d[] = "cortex_m::quantized_conv2d.out";
constexpr char kConv2dInPlace[] = "mcugen::conv2d_in_place.out";

void conv2d(KernelRuntimeContext& ctx, Span<EValue*> arguments, Layout layout, const char* op,
            bool in_place) {
  constexpr ConvArgs::Indices kIndices{5, 6, 13};
  OpArgs args(ctx, arguments, op, 14);
  ConvArgs conv(args, kIndices, layout);
  Conv2dS8Params& p = conv.params;
  if (!args.ok() || !args.check(conv.weights->dim() == 4, "rank")) {
    return;
  }
  const int32_t group_in_ch = sizes_of(*conv.weights)[3];
  if (!args.check(
          group_in_ch >= 1 && p.in_ch % group_in_ch == 0 && p.out_ch % (p.in_ch / group_in_ch) == 0,
          "weight shape")) {
    return;
  }
  p.groups = p.in_ch / group_in_ch;
  conv.read_weights(args, kIndices, p.out_ch, group_in_ch);
  if (!(in_place ? conv.check_in_place(args, p.groups == 1 ? 1 : 0) : conv.check_output(args))) {
    return;
  }
  p.scratch = args.scratch(12);
  if (args.ok()) {
    p.scratch = lent_scratch(ctx, p.scratch, forms::kTemp ? conv2d_s8_scratch(p) : 0);
    conv2d_s8(p, conv.input->const_data_ptr<int8_t>(), conv.weights->const_data_ptr<int8_t>(),
              conv.bias, conv.out->mutable_data_ptr<int8_t>());
  }
}

}  // namespace

void cortex_m__quantized_conv2d_out(KernelRuntimeContext& ctx, Span<EValue*> args) {
  conv2d(ctx, args, Layout::kDimOrder, kConv2d, false);
}

void cortex_m__quantized_conv2d_nhwc_out(KernelRuntimeContext& ctx, Span<EValue*> args) {
  conv2d(ctx, args, Layout::kNhwc, kConv2d, false);
}

void mcugen__conv2d_in_place_out(KernelRuntimeContext& ctx, Span<EValue*> args) {
  conv2d(ctx, args, Layout::kDimOrder, kConv2dInPlace, true);
}

void mcugen__conv2d_in_place_nhwc_out(KernelRuntimeContext& ctx, Span<EValue*> args) {
  conv2d(ctx, args, Layout::kNhwc, kConv2dInPlace, true);
}

}  // namespace mcugen::ops
