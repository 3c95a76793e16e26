// SPDX-License-Identifier: BSD-3-Clause
#include <ops/common/view.h>
#include <ops/shape/operators.h>

namespace mcugen::ops {

void aten__tril_out(KernelRuntimeContext& ctx, Span<EValue*> arguments) {
  OpArgs args(ctx, arguments, "aten::tril.out", 3);
  const Tensor* const self = args.tensor(0);
  const int64_t diagonal = args.int64(1);
  const Tensor* const out = args.tensor(2);
  check_types(args, out, self, false);
  if (!args.ok() || !args.check(self->dim() >= 2, "rank")) {
    return;
  }
  const View from(*self);
  if (!args.resize_as(out, self)) {
    return;
  }
  const View to(*out);
  BlockLoop loop;
  for (int32_t d = 0; d < from.rank; ++d) {
    loop.add(from.sizes[d], to.strides[d], from.strides[d]);
  }
  if (loop.empty()) {
    return;
  }
  static constexpr uint64_t kZero = 0;
  const ScalarType type = out->scalar_type();
  do {
    const bool keep = loop.index(from.rank - 1) - loop.index(from.rank - 2) <= diagonal;
    const void* const source =
        keep ? element(self, loop.offset(1)) : static_cast<const void*>(&kZero);
    copy_run(1, element(out, loop.offset(0)), type, 1, source, type, 1);
  } while (loop.next());
}

}  // namespace mcugen::ops
