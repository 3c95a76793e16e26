// SPDX-License-Identifier: BSD-3-Clause
#include <ops/common/view.h>
#include <ops/network/operators.h>

namespace mcugen::ops {

void aten__embedding_out(KernelRuntimeContext& ctx, Span<EValue*> arguments) {
  OpArgs args(ctx, arguments, "aten::embedding.out", 6);
  const Tensor* const weight = args.tensor(0);
  const Tensor* const indices =
      args.tensor_of(1, dtype_bit(ScalarType::Int) | dtype_bit(ScalarType::Long));
  args.int64(2);  // padding_idx, scale_grad_by_freq and sparse are for training
  args.boolean(3);
  args.boolean(4);
  const Tensor* const out = args.tensor(5);
  check_types(args, out, weight, false);
  if (!args.ok() || !args.check(weight->dim() == 2 && indices->dim() < kMaxDims, "rank")) {
    return;
  }
  const View rows(*weight);
  const View chosen(*indices);
  const int32_t count = static_cast<int32_t>(indices->numel());
  for (int32_t i = 0; i < count; ++i) {
    const int64_t row =
        load_int(indices->const_data_ptr(), indices->scalar_type(), static_cast<size_t>(i));
    if (!args.check(row >= 0 && row < rows.sizes[0], "index: not a row of the weight")) {
      return;
    }
  }
  int32_t sizes[kMaxDims];
  for (int32_t d = 0; d < chosen.rank; ++d) {
    sizes[d] = chosen.sizes[d];
  }
  sizes[chosen.rank] = rows.sizes[1];
  if (!args.resize(out, sizes, chosen.rank + 1) || out->numel() == 0) {
    return;
  }
  const View to(*out);
  BlockLoop loop;
  for (int32_t d = 0; d < chosen.rank; ++d) {
    loop.add(chosen.sizes[d], chosen.strides[d], to.strides[d]);
  }
  do {
    const int64_t row = load_int(indices->const_data_ptr(), indices->scalar_type(),
                                 static_cast<size_t>(loop.offset(0)));
    copy_run(rows.sizes[1], element(out, loop.offset(1)), out->scalar_type(),
             to.strides[chosen.rank], element(weight, static_cast<int32_t>(row) * rows.strides[0]),
             weight->scalar_type(), rows.strides[1]);
  } while (loop.next());
}

}  // namespace mcugen::ops
