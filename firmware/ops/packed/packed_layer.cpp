// SPDX-License-Identifier: BSD-3-Clause
#include <ops/packed/packed_layer.h>

namespace mcugen::ops {

bool packed_layer(OpArgs& args, size_t out_index, PackedLayer& layer) {
  const Tensor* const input = args.tensor(0, ScalarType::Char);
  const Tensor* const words = args.tensor(1, ScalarType::Int);
  const Tensor* const out = args.tensor(out_index, ScalarType::Char);
  args.contiguous(input);
  args.contiguous(out);
  if (!args.ok() ||
      !args.check(input->dim() >= 1 && out->dim() == input->dim() && words->dim() == 1, "rank")) {
    return false;
  }
  const int32_t* const in_sizes = sizes_of(*input);
  const int32_t* const out_sizes = sizes_of(*out);
  const size_t last = static_cast<size_t>(input->dim()) - 1;
  layer.in_ch = in_sizes[last];
  layer.out_ch = out_sizes[last];
  layer.batch = 1;
  bool fits = layer.in_ch >= 1 && layer.in_ch <= kMaxExtent && layer.out_ch >= 1 &&
              layer.out_ch <= kMaxExtent;
  for (size_t d = 0; d < last; ++d) {
    fits = fits && in_sizes[d] == out_sizes[d];
    layer.batch *= in_sizes[d];
  }
  layer.input = input->const_data_ptr<int8_t>();
  layer.words = words->const_data_ptr<int32_t>();
  layer.out = out->mutable_data_ptr<int8_t>();
  layer.count = static_cast<size_t>(words->numel());
  return args.check(fits, "shape");
}

}  // namespace mcugen::ops
