// SPDX-License-Identifier: BSD-3-Clause
#include <kernels/select.h>
#include <ops/common/elements.h>
#include <ops/common/view.h>
#include <ops/network/operators.h>

namespace mcugen::ops {
namespace {

using SoftmaxKernel = void(int32_t, const float*, int32_t, float*, int32_t);

void softmax(KernelRuntimeContext& ctx, Span<EValue*> arguments, const char* op,
             SoftmaxKernel& kernel) {
  OpArgs args(ctx, arguments, op, 4);
  const Tensor* const input = args.tensor(0, ScalarType::Float);
  const int32_t dim = args.dim(1, args.ok() ? static_cast<int32_t>(input->dim()) : 0);
  args.check(!args.boolean(2), "half_to_float");
  const Tensor* const out = args.tensor(3, ScalarType::Float);
  if (!args.ok() || !args.resize_as(out, input)) {
    return;
  }
  const View from(*input);
  const View to(*out);
  const bool scalar = from.rank == 0;
  BlockLoop loop;
  for (int32_t d = 0; d < from.rank; ++d) {
    if (d != dim) {
      loop.add(from.sizes[d], from.strides[d], to.strides[d]);
    }
  }
  const int32_t count = scalar ? 1 : from.sizes[dim];
  if (loop.empty() || count == 0) {
    return;
  }
  do {
    kernel(count, input->const_data_ptr<float>() + loop.offset(0), scalar ? 1 : from.strides[dim],
           out->mutable_data_ptr<float>() + loop.offset(1), scalar ? 1 : to.strides[dim]);
  } while (loop.next());
}

}  // namespace

void aten___softmax_out(KernelRuntimeContext& ctx, Span<EValue*> arguments) {
  softmax(ctx, arguments, "aten::_softmax.out", softmax_f32);
}

void aten___log_softmax_out(KernelRuntimeContext& ctx, Span<EValue*> arguments) {
  softmax(ctx, arguments, "aten::_log_softmax.out", log_softmax_f32);
}

}  // namespace mcugen::ops
