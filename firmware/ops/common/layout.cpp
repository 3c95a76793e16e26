// SPDX-License-Identifier: BSD-3-Clause
#include <ops/common/layout.h>

namespace mcugen::ops {

const int32_t* sizes_of(const Tensor& tensor) { return tensor.sizes().data(); }

const uint8_t* order_of(const Tensor& tensor) { return tensor.dim_order().data(); }

void strides_of(const Tensor& tensor, int32_t* strides) {
  const int32_t* const sizes = sizes_of(tensor);
  const uint8_t* const dim_order = order_of(tensor);
  // Without elements the products of sizes may be anything.
  int32_t stride = tensor.numel() == 0 ? 0 : 1;
  for (int32_t d = static_cast<int32_t>(tensor.dim()) - 1; d >= 0; --d) {
    strides[dim_order[d]] = stride;
    stride *= sizes[dim_order[d]];
  }
}

bool lies_as(const Tensor& tensor, const uint8_t* order) {
  const int32_t* const sizes = sizes_of(tensor);
  const uint8_t* const dim_order = order_of(tensor);
  int32_t at = 0;
  for (int32_t d = 0; d < tensor.dim(); ++d) {
    if (sizes[order[d]] == 1) {
      continue;
    }
    while (sizes[dim_order[at]] == 1) {
      ++at;  // ends: order[d] itself is in the dim order
    }
    if (dim_order[at++] != order[d]) {
      return false;
    }
  }
  return true;
}

int32_t window_outputs(int32_t in, int32_t pad, int32_t dilation, int32_t kernel, int32_t stride) {
  const int32_t room = in + 2 * pad - dilation * (kernel - 1) - 1;
  return room < 0 ? -1 : room / stride + 1;
}

}  // namespace mcugen::ops
