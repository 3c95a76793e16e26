// SPDX-License-Identifier: BSD-3-Clause
#include <kernels/select.h>
#include <ops/quantized/operators.h>
#include <ops/quantized/quant_args.h>

namespace mcugen::ops {

void cortex_m__quantize_per_tensor_out(KernelRuntimeContext& ctx, Span<EValue*> arguments) {
  OpArgs args(ctx, arguments, "cortex_m::quantize_per_tensor.out", 7);
  const Tensor* const input = args.tensor(0, ScalarType::Float);
  const QuantArgs quant(args);
  const Tensor* const out = args.tensor(6, quant.dtype);
  args.alike(input, out);
  if (args.ok()) {
    const QuantizeParams p{static_cast<float>(reciprocal(quant.scale)), quant.zero_point,
                           quant.quant_min, quant.quant_max};
    const int32_t count = static_cast<int32_t>(out->numel());
    if (quant.dtype == ScalarType::Char) {
      quantize_f32_s8(p, count, input->const_data_ptr<float>(), out->mutable_data_ptr<int8_t>());
    } else {
      quantize_f32_s16(p, count, input->const_data_ptr<float>(), out->mutable_data_ptr<int16_t>());
    }
  }
}

}  // namespace mcugen::ops
