// SPDX-License-Identifier: BSD-3-Clause
#include <kernels/select.h>
#include <ops/quantized/operators.h>

namespace mcugen::ops {

void cortex_m__quantized_batch_matmul_out(KernelRuntimeContext& ctx, Span<EValue*> arguments) {
  OpArgs args(ctx, arguments, "cortex_m::quantized_batch_matmul.out", 9);
  const Tensor* const lhs = args.tensor(0, ScalarType::Char);
  const Tensor* const rhs = args.tensor(2, ScalarType::Char);  // [batch, columns, inner]
  const Tensor* const out = args.tensor(8, ScalarType::Char);
  LinearS8Params p{};
  // The operator's "zero points" are offsets: minus the zero point.
  p.input_zero_point = -args.integer(1, -INT8_MAX, -INT8_MIN);
  p.weights_zero_point = -args.integer(3, -INT8_MAX, -INT8_MIN);
  p.output_zero_point = args.integer(4, INT8_MIN, INT8_MAX);
  int32_t multiplier = 0;
  int32_t shift = 0;
  args.scaling(5, multiplier, shift);
  args.contiguous(lhs);
  args.contiguous(rhs);
  args.contiguous(out);
  if (!args.ok() || !args.check(lhs->dim() == 3 && rhs->dim() == 3 && out->dim() == 3, "rank")) {
    return;
  }
  const int32_t* const l = sizes_of(*lhs);
  const int32_t* const r = sizes_of(*rhs);
  const int32_t* const o = sizes_of(*out);
  if (!args.check(l[0] == r[0] && l[0] == o[0] && l[1] == o[1] && l[2] == r[2] && r[1] == o[2],
                  "shape")) {
    return;
  }

  const int64_t multipliers[] = {multiplier};
  const int64_t shifts[] = {shift};
  p.batch = l[1];
  p.in_ch = l[2];
  p.out_ch = r[1];
  p.activation_min = INT8_MIN;
  p.activation_max = INT8_MAX;
  p.multipliers = multipliers;
  p.shifts = shifts;
  for (int32_t b = 0; b < l[0]; ++b) {
    linear_s8(p, lhs->const_data_ptr<int8_t>() + b * l[1] * l[2],
              rhs->const_data_ptr<int8_t>() + b * r[1] * r[2], nullptr,
              out->mutable_data_ptr<int8_t>() + b * o[1] * o[2]);
  }
}

}  // namespace mcugen::ops
