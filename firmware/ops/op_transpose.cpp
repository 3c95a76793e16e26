// SPDX-License-Identifier: BSD-3-Clause
#include <ops/ops.h>
#include <ops/strided_loop.h>

namespace mcugen::ops {
namespace {

/// (Tensor self, int[] dims, Tensor(a!) out).
void permute(KernelRuntimeContext& ctx, Span<EValue*> arguments, const char* op) {
  OpArgs args(ctx, arguments, op, 3);
  const Tensor* const self = args.tensor(0);
  const Tensor* const out = args.tensor(2);
  if (!args.ok()) {
    return;
  }
  const int32_t rank = static_cast<int32_t>(self->dim());
  const auto list = args.ints(1, rank);
  int32_t dims[kMaxDims] = {};
  uint32_t seen = 0;
  for (int32_t d = 0; args.ok() && d < rank; ++d) {
    const int64_t dim = list[d] < 0 ? list[d] + rank : list[d];
    if (args.check(dim >= 0 && dim < rank, "permutation")) {
      dims[d] = static_cast<int32_t>(dim);
      seen |= 1u << dim;
    }
  }
  args.check(seen == (1u << rank) - 1, "permutation");
  copy_elements(args, out, self, dims);
}

}  // namespace

void cortex_m__transpose_out(KernelRuntimeContext& ctx, Span<EValue*> args) {
  permute(ctx, args, "cortex_m::transpose.out");
}

void aten__permute_copy_out(KernelRuntimeContext& ctx, Span<EValue*> args) {
  permute(ctx, args, "aten::permute_copy.out");
}

}  // namespace mcugen::ops
