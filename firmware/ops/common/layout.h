// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <executorch/runtime/core/exec_aten/exec_aten.h>

#include <cstdint>

/// How tensors lie in memory.

namespace mcugen::ops {

using executorch::aten::Tensor;

/// @returns tensor.sizes() and tensor.dim_order(), as plain arrays of tensor.dim() entries: the
///     ArrayRef accessors carry assertions wherever they are inlined.
const int32_t* sizes_of(const Tensor& tensor);
const uint8_t* order_of(const Tensor& tensor);
/// Writes the distance in memory, in elements, of neighbours along each dimension; zeros for a
/// tensor without elements.
void strides_of(const Tensor& tensor, int32_t* strides);

/// @returns whether the memory order of `tensor`, leaving out dimensions of size 1, is `order`.
/// @param[in] order tensor.dim() dimensions, outermost first.
bool lies_as(const Tensor& tensor, const uint8_t* order);

/// @returns the size of a convolution's or pool's output along one axis, or -1 if the window does
///     not fit. All arguments within kMaxExtent and kMaxWindow.
int32_t window_outputs(int32_t in, int32_t pad, int32_t dilation, int32_t kernel, int32_t stride);

}  // namespace mcugen::ops
