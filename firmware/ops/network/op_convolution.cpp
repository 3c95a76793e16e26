// SPDX-License-Identifier: BSD-3-Clause
#include <kernels/select.h>
#include <ops/network/network_args.h>
#include <ops/network/operators.h>

namespace mcugen::ops {
namespace {

/// @returns the size of a transposed convolution's output along one axis, limited to int32.
int32_t transposed_outputs(int32_t in, int32_t pad, int32_t dilation, int32_t kernel,
                           int32_t stride, int32_t output_padding) {
  const int64_t size =
      int64_t{in - 1} * stride - 2 * pad + dilation * (kernel - 1) + output_padding + 1;
  return size > kMaxExtent ? -1 : static_cast<int32_t>(size);
}

}  // namespace

void aten__convolution_out(KernelRuntimeContext& ctx, Span<EValue*> arguments) {
  OpArgs args(ctx, arguments, "aten::convolution.out", 10);
  const Tensor* const input = args.tensor(0, ScalarType::Float);
  const Tensor* const weights = args.tensor(1, ScalarType::Float);
  const Tensor* const out = args.tensor(9, ScalarType::Float);
  Conv2dF32Params p{};
  p.input = image_of(args, input, Rank3::kSequence);
  p.weights = image_of(args, weights, Rank3::kSequence);
  if (!args.ok() || !args.check(weights->dim() == input->dim(), "rank")) {
    return;
  }
  const bool rows = input->dim() == 3;
  int32_t extra_h = 0;
  int32_t extra_w = 0;
  window_pair(args, 3, rows, 1, 1, kMaxWindow, p.stride_h, p.stride_w);
  window_pair(args, 4, rows, 0, 0, kMaxWindow, p.pad_top, p.pad_left);
  window_pair(args, 5, rows, 1, 1, kMaxWindow, p.dilation_h, p.dilation_w);
  const bool transposed = args.boolean(6);
  window_pair(args, 7, rows, 0, 0, kMaxWindow, extra_h, extra_w);
  p.groups = args.integer(8, 1, kMaxExtent);
  const Image& in = p.input;
  const Image& w = p.weights;
  args.check(w.n >= 1 && w.h <= kMaxWindow && w.w <= kMaxWindow, "weight shape");
  if (!args.ok()) {
    return;
  }
  const bool fits =
      transposed ? w.n == in.c && in.c % p.groups == 0 && int64_t{w.c} * p.groups <= kMaxExtent
                 : in.c % p.groups == 0 && w.c == in.c / p.groups && w.n % p.groups == 0;
  if (!args.check(fits, "weight shape")) {
    return;
  }
  Image result{in.n, transposed ? w.c * p.groups : w.n, 0, 0, 0, 0, 0, 0};
  if (transposed) {
    // As torch: what is added is no larger than a step.
    args.check((extra_h < p.stride_h || extra_h < p.dilation_h) &&
                   (extra_w < p.stride_w || extra_w < p.dilation_w),
               "output padding");
    result.h = transposed_outputs(in.h, p.pad_top, p.dilation_h, w.h, p.stride_h, extra_h);
    result.w = transposed_outputs(in.w, p.pad_left, p.dilation_w, w.w, p.stride_w, extra_w);
  } else {
    result.h = window_outputs(in.h, p.pad_top, p.dilation_h, w.h, p.stride_h);
    result.w = window_outputs(in.w, p.pad_left, p.dilation_w, w.w, p.stride_w);
  }
  args.check(result.h >= 1 && result.w >= 1, "kernel size");
  const float* const bias = optional_floats(args, 2, result.c);
  const ImageSizes sizes(input, Rank3::kSequence, result);
  if (!args.resize(out, sizes.sizes, sizes.rank)) {
    return;
  }
  p.output = image_of(args, out, Rank3::kSequence);
  if (args.ok()) {
    (transposed ? transpose_conv2d_f32 : conv2d_f32)(p, input->const_data_ptr<float>(),
                                                     weights->const_data_ptr<float>(), bias,
                                                     out->mutable_data_ptr<float>());
  }
}

}  // namespace mcugen::ops
