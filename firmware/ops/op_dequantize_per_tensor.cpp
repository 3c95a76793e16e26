// SPDX-License-Identifier: BSD-3-Clause
#include <kernels/select.h>
#include <ops/ops.h>
#include <ops/quant_args.h>

namespace mcugen::ops {

void cortex_m__dequantize_per_tensor_out(KernelRuntimeContext& ctx, Span<EValue*> arguments) {
  OpArgs args(ctx, arguments, "cortex_m::dequantize_per_tensor.out", 7);
  const Tensor* const input = args.tensor(0, ScalarType::Char);
  const Tensor* const out = args.tensor(6, ScalarType::Float);
  const QuantArgs quant(args);
  args.alike(input, out);
  if (args.ok()) {
    dequantize_s8_f32(static_cast<float>(quant.scale), quant.zero_point,
                      static_cast<int32_t>(out->numel()), input->const_data_ptr<int8_t>(),
                      out->mutable_data_ptr<float>());
  }
}

}  // namespace mcugen::ops
