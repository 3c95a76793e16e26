// SPDX-License-Identifier: BSD-3-Clause
#include <kernels/select.h>
#include <ops/quantized/operators.h>
#include <ops/quantized/pool_args.h>

namespace mcugen::ops {
namespace {

void max_pool2d(KernelRuntimeContext& ctx, Span<EValue*> arguments, Layout layout) {
  OpArgs args(ctx, arguments, "cortex_m::quantized_max_pool2d.out", 11);
  const Tensor* const input = args.tensor(0, ScalarType::Char);
  const Tensor* const out = args.tensor(10, ScalarType::Char);
  Pool2dS8Params p = read_pool(args, 5, input, out, layout);
  // The exporter leaves dilated pools to aten::max_pool2d_with_indices.
  int32_t dilation_h = 1;
  int32_t dilation_w = 1;
  args.pair(4, 1, 1, dilation_h, dilation_w);
  const int32_t zero_point = args.integer(6, INT8_MIN, INT8_MAX);
  args.integer(7, zero_point, zero_point);
  args.activation(8, 9, p.activation_min, p.activation_max);
  if (args.ok()) {
    max_pool2d_s8(p, input->const_data_ptr<int8_t>(), out->mutable_data_ptr<int8_t>());
  }
}

}  // namespace

void cortex_m__quantized_max_pool2d_out(KernelRuntimeContext& ctx, Span<EValue*> args) {
  max_pool2d(ctx, args, Layout::kDimOrder);
}

void cortex_m__quantized_max_pool2d_nhwc_out(KernelRuntimeContext& ctx, Span<EValue*> args) {
  max_pool2d(ctx, args, Layout::kNhwc);
}

}  // namespace mcugen::ops
