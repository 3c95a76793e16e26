// SPDX-License-Identifier: BSD-3-Clause
#include <ops/ops.h>
#include <ops/strided_loop.h>

#include <cstring>

namespace mcugen::ops {

void aten__view_copy_out(KernelRuntimeContext& ctx, Span<EValue*> arguments) {
  OpArgs args(ctx, arguments, "aten::view_copy.out", 3);
  const Tensor* const self = args.tensor(0);
  const Tensor* const out = args.tensor(2);
  if (!args.ok()) {
    return;
  }
  const auto size = args.ints(1, static_cast<int32_t>(out->dim()));
  for (size_t d = 0; args.ok() && d < size.size(); ++d) {
    args.check(size[d] == -1 || size[d] == sizes_of(*out)[d], "output shape");
  }
  // Elements keep their order of indices; with both in that order in memory, it is one copy.
  args.contiguous(self);
  args.contiguous(out);
  if (args.ok() &&
      args.check(self->numel() == out->numel() && self->scalar_type() == out->scalar_type(),
                 "shape") &&
      out->numel() != 0) {
    memmove(out->mutable_data_ptr(), self->const_data_ptr(), out->nbytes());
  }
}

}  // namespace mcugen::ops
