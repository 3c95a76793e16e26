// SPDX-License-Identifier: BSD-3-Clause
#include <kernels/select.h>
#include <ops/packed/operators.h>

namespace mcugen::ops {

void mcugen__packed_linear_out(KernelRuntimeContext& ctx, Span<EValue*> arguments) {
  OpArgs args(ctx, arguments, "mcugen::packed_linear.out", 10);
  const Tensor* const input = args.tensor(0, ScalarType::Char);
  const Tensor* const groups = args.tensor(1, ScalarType::Int);
  const Tensor* const out = args.tensor(9, ScalarType::Char);
  PackedLinearS8Params p{};
  p.out_ch = args.integer(2, kPackedRows, kMaxExtent);
  p.input_zero_point = args.integer(3, INT8_MIN, INT8_MAX);
  p.output_zero_point = args.integer(4, INT8_MIN, INT8_MAX);
  p.exact = args.boolean(5);
  args.activation(6, 7, p.activation_min, p.activation_max);
  p.scratch = args.scratch(8);
  args.contiguous(input);
  args.contiguous(groups);
  args.contiguous(out);
  if (!args.ok() ||
      !args.check(input->dim() >= 1 && out->dim() == input->dim() && groups->dim() == 2, "rank")) {
    return;
  }
  const size_t last = static_cast<size_t>(input->dim()) - 1;
  p.in_ch = sizes_of(*input)[last];
  bool shapes = p.in_ch >= 1 && p.in_ch <= kMaxExtent && p.out_ch == sizes_of(*out)[last];
  for (size_t d = 0; shapes && d < last; ++d) {
    shapes = sizes_of(*input)[d] == sizes_of(*out)[d];
  }
  if (!args.check(shapes, "shape") ||
      !args.check(sizes_of(*groups)[0] == (p.out_ch - 1) / kPackedRows + 1 &&
                      sizes_of(*groups)[1] == packed_linear_words(p.in_ch),
                  "weight shape")) {
    return;
  }
  p.batch = static_cast<int32_t>(input->numel()) / p.in_ch;
  packed_linear_s8(p, input->const_data_ptr<int8_t>(), groups->const_data_ptr<int32_t>(),
                   out->mutable_data_ptr<int8_t>());
}

}  // namespace mcugen::ops
