// SPDX-License-Identifier: BSD-3-Clause
#include <kernels/select.h>
#include <ops/quantized/operators.h>
#include <ops/quantized/pool_args.h>

namespace mcugen::ops {
namespace {

void avg_pool2d(KernelRuntimeContext& ctx, Span<EValue*> arguments, Layout layout) {
  OpArgs args(ctx, arguments, "cortex_m::quantized_avg_pool2d.out", 10);
  const Tensor* const input = args.tensor(0, ScalarType::Char);
  const Tensor* const out = args.tensor(9, ScalarType::Char);
  const Pool2dS8Params p = read_pool(args, 4, input, out, layout);
  // Zero point, multiplier and shift are those of input and output alike: the mean needs none.
  args.integer(5, INT8_MIN, INT8_MAX);
  int32_t multiplier = 0;
  int32_t shift = 0;
  args.scaling(6, multiplier, shift);
  if (args.ok()) {
    avg_pool2d_s8(p, input->const_data_ptr<int8_t>(), out->mutable_data_ptr<int8_t>());
  }
}

}  // namespace

void cortex_m__quantized_avg_pool2d_out(KernelRuntimeContext& ctx, Span<EValue*> args) {
  avg_pool2d(ctx, args, Layout::kDimOrder);
}

void cortex_m__quantized_avg_pool2d_nhwc_out(KernelRuntimeContext& ctx, Span<EValue*> args) {
  avg_pool2d(ctx, args, Layout::kNhwc);
}

}  // namespace mcugen::ops
