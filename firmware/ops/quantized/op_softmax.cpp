// SPDX-License-Identifier: BSD-3-Clause
#include <kernels/select.h>
#include <ops/quantized/operators.h>

namespace mcugen::ops {

void cortex_m__softmax_out(KernelRuntimeContext& ctx, Span<EValue*> arguments) {
  OpArgs args(ctx, arguments, "cortex_m::softmax.out", 8);
  const Tensor* const input = args.tensor(0, ScalarType::Char);
  const Tensor* const out = args.tensor(7, ScalarType::Char);
  args.alike(input, out);
  SoftmaxS8Params p{};
  args.integer(2, INT8_MIN, INT8_MAX);  // the input's zero point cancels
  args.integer(3, -128, -128);
  p.input_multiplier = args.integer(4, 1, INT32_MAX);
  p.input_shift = args.integer(5, -31, 31);
  p.diff_min = args.saturated_integer(6);  // beyond 32 bits for input scales below 2^-27
  args.check(p.diff_min <= 0, "diff_min");
  if (!args.ok()) {
    return;
  }
  const int32_t rank = static_cast<int32_t>(input->dim());
  int32_t dim = args.integer(1, -rank, rank - 1);
  dim = dim < 0 ? dim + rank : dim;

  // In memory order, whatever that is.
  p.outer = p.depth = p.inner = 1;
  int32_t* product = &p.outer;
  for (int32_t i = 0; i < rank; ++i) {
    const int32_t d = order_of(*input)[i];
    if (d == dim) {
      p.depth = sizes_of(*input)[d];
      product = &p.inner;
    } else {
      *product *= sizes_of(*input)[d];
    }
  }
  if (args.ok() && input->numel() != 0) {
    softmax_s8(p, input->const_data_ptr<int8_t>(), out->mutable_data_ptr<int8_t>());
  }
}

}  // namespace mcugen::ops
