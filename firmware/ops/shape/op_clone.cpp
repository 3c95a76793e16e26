// SPDX-License-Identifier: BSD-3-Clause
#include <ops/common/strided_loop.h>
#include <ops/shape/operators.h>

namespace mcugen::ops {

void aten__clone_out(KernelRuntimeContext& ctx, Span<EValue*> arguments) {
  OpArgs args(ctx, arguments, "aten::clone.out", 3);
  // Argument 1, memory_format, is what the output's dim order already says.
  const Tensor* const self = args.tensor(0);
  const Tensor* const out = args.tensor(2);
  if (args.resize_as(out, self)) {
    copy_elements(args, out, self, nullptr);
  }
}

}  // namespace mcugen::ops
