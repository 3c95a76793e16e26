// SPDX-License-Identifier: BSD-3-Clause
#include <kernels/select.h>
#include <ops/quantized/operators.h>

namespace mcugen::ops {
namespace {

/// Reads what both operators have at their ends: epsilon, spread_bits, shift, output_zero_point,
/// activation_min, activation_max, from `index` on; and calls the kernel.
/// @param[in] p Has the sizes and the centre.
void norm(OpArgs& args, size_t index, NormS8Params& p, const Tensor* input, const Tensor* weight,
          const Tensor* bias, const Tensor* out) {
  if (!args.ok() ||
      !args.check(p.group_ch >= 1 && p.pixels <= kMaxNormElements / p.group_ch, "shape")) {
    return;
  }
  p.epsilon = args.int64(index);
  args.check(p.epsilon >= 0 && p.epsilon <= kMaxNormEpsilon, "epsilon");
  p.spread_bits = args.integer(index + 1, kMinSpreadBits, most_spread_bits(p.pixels * p.group_ch));
  p.shift = args.integer(index + 2, 0, 30);
  p.output_zero_point = args.integer(index + 3, INT8_MIN, INT8_MAX);
  args.activation(index + 4, index + 5, p.activation_min, p.activation_max);
  const int32_t channels = p.groups * p.group_ch;
  p.per_channel = weight->numel() != 1;
  args.check(weight->numel() == (p.per_channel ? channels : 1) && bias->numel() == weight->numel(),
             "size of weight or bias");
  if (args.ok()) {
    norm_s8(p, input->const_data_ptr<int8_t>(), weight->const_data_ptr<int32_t>(),
            bias->const_data_ptr<int32_t>(), out->mutable_data_ptr<int8_t>());
  }
}

}  // namespace

void mcugen__quantized_group_norm_out(KernelRuntimeContext& ctx, Span<EValue*> arguments) {
  OpArgs args(ctx, arguments, "mcugen::quantized_group_norm.out", 11);
  const Tensor* const input = args.tensor(0, ScalarType::Char);
  const Tensor* const weight = args.tensor(1, ScalarType::Int);
  const Tensor* const bias = args.tensor(2, ScalarType::Int);
  const Tensor* const out = args.tensor(10, ScalarType::Char);
  NormS8Params p{};
  p.groups = args.integer(3, 1, kMaxExtent);
  p.subtract_mean = true;
  const Nhwc image = args.image(input, Layout::kDimOrder);
  args.image(out, Layout::kDimOrder);
  args.alike(input, out);
  if (!args.ok() || !args.check(image.c % p.groups == 0, "groups")) {
    return;
  }
  p.batch = image.n;
  p.pixels = static_cast<int32_t>(input->numel()) / (image.n * image.c);
  p.group_ch = image.c / p.groups;
  norm(args, 4, p, input, weight, bias, out);
}

void mcugen__quantized_layer_norm_out(KernelRuntimeContext& ctx, Span<EValue*> arguments) {
  OpArgs args(ctx, arguments, "mcugen::quantized_layer_norm.out", 13);
  const Tensor* const input = args.tensor(0, ScalarType::Char);
  const Tensor* const weight = args.tensor(1, ScalarType::Int);
  const Tensor* const bias = args.tensor(2, ScalarType::Int);
  const Tensor* const out = args.tensor(12, ScalarType::Char);
  const int32_t axes = args.integer(3, 1, kMaxDims);
  NormS8Params p{};
  p.subtract_mean = args.boolean(4);
  p.input_zero_point = args.integer(5, INT8_MIN, INT8_MAX);
  args.contiguous(input);
  args.contiguous(out);
  args.alike(input, out);
  if (!args.ok() || !args.check(axes <= input->dim(), "axes")) {
    return;
  }
  p.pixels = 1;
  p.groups = 1;
  p.group_ch = 1;
  const int32_t* const sizes = sizes_of(*input);
  for (int32_t d = static_cast<int32_t>(input->dim()) - axes; d < input->dim(); ++d) {
    if (!args.check(sizes[d] >= 1 && sizes[d] <= kMaxNormElements / p.group_ch, "shape")) {
      return;
    }
    p.group_ch *= sizes[d];
  }
  p.batch = static_cast<int32_t>(input->numel()) / p.group_ch;
  norm(args, 6, p, input, weight, bias, out);
}

}  // namespace mcugen::ops
