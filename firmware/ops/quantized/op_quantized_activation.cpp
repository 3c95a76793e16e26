// SPDX-License-Identifier: BSD-3-Clause
#include <kernels/select.h>
#include <ops/quantized/operators.h>

namespace mcugen::ops {

void cortex_m__quantized_activation_out(KernelRuntimeContext& ctx, Span<EValue*> arguments) {
  OpArgs args(ctx, arguments, "cortex_m::quantized_activation.out", 3);
  const Tensor* const input = args.tensor(0, ScalarType::Char);
  const Tensor* const table = args.tensor(1, ScalarType::Char);
  const Tensor* const out = args.tensor(2, ScalarType::Char);
  args.alike(input, out);
  if (args.ok() && args.check(table->numel() == 256, "table")) {
    lookup_s8(static_cast<int32_t>(out->numel()), input->const_data_ptr<int8_t>(),
              table->const_data_ptr<int8_t>(), out->mutable_data_ptr<int8_t>());
  }
}

}  // namespace mcugen::ops
