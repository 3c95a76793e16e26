// SPDX-License-Identifier: BSD-3-Clause
#include <kernels/select.h>
#include <ops/common/strided_loop.h>
#include <ops/quantized/operators.h>

namespace mcugen::ops {

void cortex_m__quantized_mul_out(KernelRuntimeContext& ctx, Span<EValue*> arguments) {
  OpArgs args(ctx, arguments, "cortex_m::quantized_mul.out", 8);
  MulS8Params p{};
  p.a_zero_point = args.integer(1, INT32_MIN, INT32_MAX);
  p.b_zero_point = args.integer(3, INT32_MIN, INT32_MAX);
  p.output_zero_point = args.integer(4, INT8_MIN, INT8_MAX);
  args.scaling(5, p.output_multiplier, p.output_shift);
  const Tensor* const self = args.tensor(0, ScalarType::Char);
  const Tensor* const other = args.tensor(2, ScalarType::Char);
  const Tensor* const out = args.tensor(7, ScalarType::Char);
  StridedLoop loop(args, out, self, other);
  if (!args.ok()) {
    return;
  }
  int8_t* to = out->mutable_data_ptr<int8_t>();
  do {
    mul_s8(p, loop.run(), self->const_data_ptr<int8_t>() + loop.offset(0), loop.step(0),
           other->const_data_ptr<int8_t>() + loop.offset(1), loop.step(1), to);
    to += loop.run();
  } while (loop.next());
}

}  // namespace mcugen::ops
