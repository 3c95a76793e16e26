// SPDX-License-Identifier: BSD-3-Clause
#include <kernels/select.h>
#include <ops/packed/operators.h>

namespace mcugen::ops {

void mcugen__scaled_add_out(KernelRuntimeContext& ctx, Span<EValue*> arguments) {
  OpArgs args(ctx, arguments, "mcugen::scaled_add.out", 9);
  const Tensor* const self = args.tensor(0, ScalarType::Char);
  const Tensor* const other = args.tensor(1, ScalarType::Char);
  const Tensor* const out = args.tensor(8, ScalarType::Char);
  ScaledAddS8Params p{};
  p.a_multiplier = args.integer(2, INT32_MIN, INT32_MAX);
  p.b_multiplier = args.integer(3, INT32_MIN, INT32_MAX);
  p.offset = args.integer(4, INT32_MIN, INT32_MAX);
  p.shift = args.integer(5, 0, 31);
  args.activation(6, 7, p.activation_min, p.activation_max);
  args.alike(self, out);
  args.alike(other, out);
  if (args.ok()) {
    scaled_add_s8(p, static_cast<int32_t>(out->numel()), self->const_data_ptr<int8_t>(),
                  other->const_data_ptr<int8_t>(), out->mutable_data_ptr<int8_t>());
  }
}

}  // namespace mcugen::ops
