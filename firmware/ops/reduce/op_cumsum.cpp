// SPDX-License-Identifier: BSD-3-Clause
#include <ops/common/axes.h>
#include <ops/reduce/operators.h>

namespace mcugen::ops {

void aten__cumsum_out(KernelRuntimeContext& ctx, Span<EValue*> arguments) {
  OpArgs args(ctx, arguments, "aten::cumsum.out", 4);
  const Tensor* const self = args.tensor_of(0, kComputeDtypes);
  const Tensor* const out = args.tensor_of(3, kComputeDtypes);
  if (!args.ok()) {
    return;
  }
  const auto rank = static_cast<int32_t>(self->dim());
  const int32_t dim = args.dim(1, rank);
  const ScalarType to = out->scalar_type();
  const ScalarType dtype = args.optional_dtype(2, to, kComputeDtypes);
  if (!args.check(dtype == to && (to == ScalarType::Float || is_integral(self->scalar_type())),
                  "dtype") ||
      !args.resize_as(out, self) || out->numel() == 0) {
    return;
  }
  int32_t strides[2][kMaxDims];
  strides_of(*self, strides[0]);
  strides_of(*out, strides[1]);
  Axes<2> lines;
  for (int32_t d = 0; d < rank; ++d) {
    if (d != dim) {
      lines.sizes[lines.rank] = sizes_of(*self)[d];
      lines.index[lines.rank] = 0;
      lines.strides[0][lines.rank] = strides[0][d];
      lines.strides[1][lines.rank++] = strides[1][d];
    }
  }
  const int32_t length = rank == 0 ? 1 : sizes_of(*self)[dim];
  for (int32_t line = static_cast<int32_t>(out->numel()) / length; line > 0; --line) {
    double real = 0.0;
    int64_t integer = 0;
    for (int32_t i = 0; i < length; ++i) {
      const auto from = static_cast<size_t>(lines.offsets[0] + i * strides[0][dim]);
      const auto at = static_cast<size_t>(lines.offsets[1] + i * strides[1][dim]);
      if (to == ScalarType::Float) {
        real += static_cast<double>(load_float(self->const_data_ptr(), self->scalar_type(), from));
        store_float(out->mutable_data_ptr(), to, at, static_cast<float>(real));
      } else {
        integer =
            wrapping_add(integer, load_int(self->const_data_ptr(), self->scalar_type(), from));
        store_int(out->mutable_data_ptr(), to, at, integer);
      }
    }
    lines.next();
  }
}

}  // namespace mcugen::ops
