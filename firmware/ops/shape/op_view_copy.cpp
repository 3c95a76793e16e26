// SPDX-License-Identifier: BSD-3-Clause
#include <ops/common/view.h>
#include <ops/shape/operators.h>

#include <cstring>

namespace mcugen::ops {

void aten__view_copy_out(KernelRuntimeContext& ctx, Span<EValue*> arguments) {
  OpArgs args(ctx, arguments, "aten::view_copy.out", 3);
  const Tensor* const self = args.tensor(0);
  const Tensor* const out = args.tensor(2);
  if (!args.ok()) {
    return;
  }
  int32_t sizes[kMaxDims];
  const int32_t rank = view_arguments(args, 1, self, sizes);
  // Elements keep their order of indices; with both in that order in memory, it is one copy.
  args.contiguous(self);
  check_types(args, out, self, false);
  if (args.resize(out, sizes, rank)) {
    args.contiguous(out);
    if (args.ok() && out->numel() != 0) {
      memmove(out->mutable_data_ptr(), self->const_data_ptr(), out->nbytes());
    }
  }
}

}  // namespace mcugen::ops
