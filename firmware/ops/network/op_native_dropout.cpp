// SPDX-License-Identifier: BSD-3-Clause
#include <ops/common/view.h>
#include <ops/network/operators.h>

#include <cstring>

namespace mcugen::ops {

void aten__native_dropout_out(KernelRuntimeContext& ctx, Span<EValue*> arguments) {
  OpArgs args(ctx, arguments, "aten::native_dropout.out", 5);
  const Tensor* const input = args.tensor(0);
  const double probability = args.number(1);
  args.check(probability >= 0 && probability <= 1, "probability");
  // None trains.
  args.check(!args.optional_boolean(2, true), "train: only inference is here");
  const Tensor* const out = args.tensor(3);
  const Tensor* const mask = args.tensor(4, ScalarType::Bool);
  check_types(args, out, input, false);
  if (args.ok() && args.resize_as(mask, input) && args.resize_as(out, input)) {
    copy_whole(args, out, input, View(*input));
    if (mask->numel() != 0) {
      memset(mask->mutable_data_ptr(), 1, static_cast<size_t>(mask->numel()));
    }
  }
}

}  // namespace mcugen::ops
