// SPDX-License-Identifier: BSD-3-Clause
#include <ops/ops.h>
#include <ops/strided_loop.h>

namespace mcugen::ops {

void aten__clone_out(KernelRuntimeContext& ctx, Span<EValue*> arguments) {
  OpArgs args(ctx, arguments, "aten::clone.out", 3);
  // Argument 1, memory_format, is what the output's dim order already says.
  copy_elements(args, args.tensor(2), args.tensor(0), nullptr);
}

}  // namespace mcugen::ops
