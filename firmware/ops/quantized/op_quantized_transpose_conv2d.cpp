// SPDX-License-Identifier: BSD-3-Clause
#include <kernels/select.h>
#include <ops/common/conv_args.h>
#include <ops/quantized/operators.h>

namespace mcugen::ops {
namespace {

/// @returns whether a transposed convolution along one axis has `out` outputs. 64 bits: the sizes
/// multiply.
bool fits(int32_t in, int32_t out, int32_t stride, int32_t pad, int32_t dilation, int32_t kernel,
          int32_t output_padding) {
  return int64_t{out} ==
         int64_t{in - 1} * stride - 2 * pad + int64_t{dilation} * (kernel - 1) + output_padding + 1;
}

void transpose_conv2d(KernelRuntimeContext& ctx, Span<EValue*> arguments, Layout layout) {
  constexpr ConvArgs::Indices kIndices{6, 7, 15};
  OpArgs args(ctx, arguments, "cortex_m::quantized_transpose_conv2d.out", 16);
  ConvArgs conv(args, kIndices, layout);
  const Conv2dS8Params& p = conv.params;
  int32_t output_padding_h = 0;
  int32_t output_padding_w = 0;
  args.pair(5, 0, kMaxWindow, output_padding_h, output_padding_w);
  conv.read_weights(args, kIndices, p.out_ch, p.in_ch);
  args.check(
      fits(p.in_h, p.out_h, p.stride_h, p.pad_top, p.dilation_h, p.kernel_h, output_padding_h) &&
          fits(p.in_w, p.out_w, p.stride_w, p.pad_left, p.dilation_w, p.kernel_w, output_padding_w),
      "output shape");
  if (args.ok()) {
    transpose_conv2d_s8(p, conv.input->const_data_ptr<int8_t>(),
                        conv.weights->const_data_ptr<int8_t>(), conv.bias,
                        conv.out->mutable_data_ptr<int8_t>());
  }
}

}  // namespace

void cortex_m__quantized_transpose_conv2d_out(KernelRuntimeContext& ctx, Span<EValue*> args) {
  transpose_conv2d(ctx, args, Layout::kDimOrder);
}

void cortex_m__quantized_transpose_conv2d_nhwc_out(KernelRuntimeContext& ctx, Span<EValue*> args) {
  transpose_conv2d(ctx, args, Layout::kNhwc);
}

}  // namespace mcugen::ops
