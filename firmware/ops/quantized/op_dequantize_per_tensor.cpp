// SPDX-License-Identifier: BSD-3-Clause
#include <kernels/select.h>
#include <ops/quantized/operators.h>
#include <ops/quantized/quant_args.h>

namespace mcugen::ops {

void cortex_m__dequantize_per_tensor_out(KernelRuntimeContext& ctx, Span<EValue*> arguments) {
  OpArgs args(ctx, arguments, "cortex_m::dequantize_per_tensor.out", 7);
  const QuantArgs quant(args);
  const Tensor* const input = args.tensor(0, quant.dtype);
  const Tensor* const out = args.tensor(6, ScalarType::Float);
  args.alike(input, out);
  if (args.ok()) {
    const float scale = static_cast<float>(quant.scale);
    const int32_t count = static_cast<int32_t>(out->numel());
    float* const data = out->mutable_data_ptr<float>();
    if (quant.dtype == ScalarType::Char) {
      dequantize_s8_f32(scale, quant.zero_point, count, input->const_data_ptr<int8_t>(), data);
    } else {
      dequantize_s16_f32(scale, quant.zero_point, count, input->const_data_ptr<int16_t>(), data);
    }
  }
}

}  // namespace mcugen::ops
