// SPDX-License-Identifier: BSD-3-Clause
#include <kernels/select.h>
#include <ops/quantized/operators.h>

namespace mcugen::ops {

namespace {

/// Both have the same arguments but for the multipliers: numbers in the program, which each take
/// RAM, or constants.
enum class Scaling { kNumbers, kConstants };

void quantized_linear(OpArgs& args, Scaling scaling) {
  const Tensor* const input = args.tensor(0, ScalarType::Char);
  const Tensor* const weights = args.tensor(1, ScalarType::Char);
  const Tensor* const out = args.tensor(11, ScalarType::Char);
  const int32_t input_offset = args.integer(4, -INT8_MAX, -INT8_MIN);
  const int32_t filter_offset = args.integer(5, -INT8_MAX, -INT8_MIN);
  LinearS8Params p{};
  p.output_zero_point = args.integer(6, INT8_MIN, INT8_MAX);
  args.activation(10, 9, p.activation_min, p.activation_max);
  args.contiguous(input);
  args.contiguous(weights);
  args.contiguous(out);
  if (!args.ok() || !args.check(weights->dim() == 2 && input->dim() >= 1, "rank")) {
    return;
  }

  const size_t last = static_cast<size_t>(input->dim()) - 1;
  p.out_ch = sizes_of(*weights)[0];
  p.in_ch = sizes_of(*weights)[1];
  bool shapes = sizes_of(*input)[last] == p.in_ch && p.in_ch >= 1 && p.out_ch >= 1 &&
                out->dim() == input->dim() && sizes_of(*out)[last] == p.out_ch;
  for (size_t d = 0; shapes && d < last; ++d) {
    shapes = sizes_of(*input)[d] == sizes_of(*out)[d];
  }
  if (!args.check(shapes, "shape")) {
    return;
  }
  p.batch = static_cast<int32_t>(input->numel()) / p.in_ch;
  if (scaling == Scaling::kConstants) {
    args.channel_scaling(7, p.out_ch, p.channel_multipliers, p.channel_shifts);
  } else {
    const auto multipliers = args.ints(7, -1);
    const auto shifts = args.ints(8, static_cast<int32_t>(multipliers.size()));
    p.per_channel = multipliers.size() > 1;
    args.check(multipliers.size() == 1 || multipliers.size() == static_cast<size_t>(p.out_ch),
               "multipliers");
    for (size_t i = 0; args.ok() && i < multipliers.size(); ++i) {
      args.check(OpArgs::scaling_in_range(multipliers[i], shifts[i]), "multipliers");
    }
    p.multipliers = multipliers.data();
    p.shifts = shifts.data();
  }

  // A file for Helium has kernel_sum instead of bias: it already holds the input offset's part.
  const int32_t* const kernel_sum = args.optional_s32(3, p.out_ch);
  const int32_t* const bias = args.optional_s32(2, p.out_ch);
  p.input_zero_point = kernel_sum != nullptr ? 0 : -input_offset;
  p.weights_zero_point = -filter_offset;
  if (args.ok()) {
    linear_s8(p, input->const_data_ptr<int8_t>(), weights->const_data_ptr<int8_t>(),
              kernel_sum != nullptr ? kernel_sum : bias, out->mutable_data_ptr<int8_t>());
  }
}

}  // namespace

void cortex_m__quantized_linear_out(KernelRuntimeContext& ctx, Span<EValue*> arguments) {
  OpArgs args(ctx, arguments, "cortex_m::quantized_linear.out", 12);
  quantized_linear(args, Scaling::kNumbers);
}

void mcugen__quantized_linear_out(KernelRuntimeContext& ctx, Span<EValue*> arguments) {
  OpArgs args(ctx, arguments, "mcugen::quantized_linear.out", 12);
  quantized_linear(args, Scaling::kConstants);
}

}  // namespace mcugen::ops
