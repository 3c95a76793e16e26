// SPDX-License-Identifier: BSD-3-Clause
#include <executorch/runtime/core/exec_aten/util/dim_order_util.h>
#include <executorch/runtime/core/tensor_layout.h>
#include <runtime/platform/fail.h>

namespace executorch::runtime {

Result<const TensorLayout> TensorLayout::create(Span<const int32_t> sizes,
                                                Span<const uint8_t> dim_order,
                                                executorch::aten::ScalarType scalar_type) {
  MCUGEN_CHECK(isValid(scalar_type), InvalidArgument, "scalar type %d",
               static_cast<int>(scalar_type));
  MCUGEN_CHECK(
      dim_order.size() == sizes.size() && validate_dim_order(dim_order.data(), dim_order.size()),
      InvalidArgument, "dim order is not a permutation of %zu dimensions", sizes.size());
  Result<ssize_t> numel = etensor::safe_numel(sizes.data(), static_cast<ssize_t>(sizes.size()));
  if (!numel.ok()) {
    return numel.error();
  }
  size_t nbytes;
  MCUGEN_CHECK(
      !__builtin_mul_overflow(static_cast<size_t>(*numel), elementSize(scalar_type), &nbytes),
      InvalidArgument, "tensor of %zd elements is too big", *numel);
  return TensorLayout(sizes, dim_order, scalar_type, nbytes);
}

}  // namespace executorch::runtime
