// SPDX-License-Identifier: BSD-3-Clause
#include <kernels/select.h>
#include <ops/common/strided_loop.h>
#include <ops/quantized/operators.h>

namespace mcugen::ops {

void cortex_m__quantized_add_out(KernelRuntimeContext& ctx, Span<EValue*> arguments) {
  OpArgs args(ctx, arguments, "cortex_m::quantized_add.out", 14);
  AddS8Params p{};
  AddS8Operand* const operands[] = {&p.a, &p.b};
  for (size_t i = 0; i < 2; ++i) {
    operands[i]->zero_point = args.integer(4 * i + 1, INT8_MIN, INT8_MAX);
    args.scaling(4 * i + 2, operands[i]->multiplier, operands[i]->shift);
  }
  p.output_zero_point = args.integer(8, INT8_MIN, INT8_MAX);
  args.scaling(9, p.output_multiplier, p.output_shift);
  args.activation(11, 12, p.activation_min, p.activation_max);
  const Tensor* const self = args.tensor(0, ScalarType::Char);
  const Tensor* const other = args.tensor(4, ScalarType::Char);
  const Tensor* const out = args.tensor(13, ScalarType::Char);
  StridedLoop loop(args, out, self, other);
  if (!args.ok()) {
    return;
  }
  int8_t* to = out->mutable_data_ptr<int8_t>();
  do {
    add_s8(p, loop.run(), self->const_data_ptr<int8_t>() + loop.offset(0), loop.step(0),
           other->const_data_ptr<int8_t>() + loop.offset(1), loop.step(1), to);
    to += loop.run();
  } while (loop.next());
}

}  // namespace mcugen::ops
