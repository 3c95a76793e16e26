// SPDX-License-Identifier: BSD-3-Clause
#include <executorch/runtime/core/exec_aten/util/dim_order_util.h>
#include <executorch/runtime/core/exec_aten/util/scalar_type_util.h>
#include <executorch/runtime/core/exec_aten/util/tensor_dimension_limit.h>
#include <executorch/runtime/core/portable_type/tensor_impl.h>
#include <runtime/core/portable_type/strides.h>
#include <runtime/platform/fail.h>

namespace mcugen {

void set_strides(const int32_t* sizes, const uint8_t* dim_order, size_t dim, int32_t* strides) {
  executorch::runtime::dim_order_to_stride_nocheck(sizes, dim_order, dim, strides);
}

}  // namespace mcugen

namespace executorch::runtime::etensor {

ssize_t compute_numel(const TensorImpl::SizesType* sizes, ssize_t dim) {
  Result<ssize_t> numel = safe_numel(sizes, dim);
  if (!numel.ok()) {
    runtime_abort();  // Logged.
  }
  return *numel;
}

Result<ssize_t> safe_numel(const TensorImpl::SizesType* sizes, ssize_t dim) {
  MCUGEN_CHECK(dim == 0 || (dim > 0 && sizes != nullptr), InvalidArgument, "rank %zd without sizes",
               dim);
  ssize_t numel = 1;
  for (ssize_t i = 0; i < dim; ++i) {
    MCUGEN_CHECK(sizes[i] >= 0 && !__builtin_mul_overflow(numel, sizes[i], &numel), InvalidArgument,
                 "size %d is negative, or too big", static_cast<int>(sizes[i]));
  }
  return numel;
}

TensorImpl::TensorImpl(ScalarType type, ssize_t dim, SizesType* sizes, void* data,
                       DimOrderType* dim_order, StridesType* strides, TensorShapeDynamism dynamism,
                       DeviceType device_type, DeviceIndex device_index)
    : sizes_(sizes),
      dim_order_(dim_order),
      strides_(strides),
      data_(data),
      dim_(dim),
      numel_(compute_numel(sizes, dim)),
      numel_bound_(static_cast<size_t>(numel_)),
      type_(type),
      shape_dynamism_(dynamism),
      device_(device_type, device_index) {
  ET_CHECK(isValid(type_));
}

size_t TensorImpl::nbytes() const {
  return static_cast<size_t>(numel_) * static_cast<size_t>(element_size());
}

ssize_t TensorImpl::element_size() const {
  // elementSize() would check again what the constructor has checked.
#define MCUGEN_BYTES(type, name) sizeof(type),
  static constexpr uint8_t kBytes[] = {ET_FORALL_SCALAR_TYPES(MCUGEN_BYTES)};
#undef MCUGEN_BYTES
  return kBytes[static_cast<size_t>(type_)];
}

Error TensorImpl::internal_resize_contiguous(ArrayRef<SizesType> new_sizes) {
  MCUGEN_CHECK(new_sizes.size() == static_cast<size_t>(dim_), NotSupported, "resize to rank %zu",
               new_sizes.size());
  if (shape_dynamism_ == TensorShapeDynamism::STATIC) {
    // Sizes and strides may be in flash: they are compared, never written.
    for (size_t i = 0; i < new_sizes.size(); ++i) {
      MCUGEN_CHECK(sizes_[i] == new_sizes[i], NotSupported, "resize of a static tensor's %d to %d",
                   static_cast<int>(sizes_[i]), static_cast<int>(new_sizes[i]));
    }
    return Error::Ok;
  }
  // Bounded and, since no memory is found at run time, unbounded tensors: up to the first shape.
  Result<ssize_t> numel = safe_numel(new_sizes.data(), dim_);
  if (!numel.ok()) {
    return numel.error();
  }
  MCUGEN_CHECK(static_cast<size_t>(*numel) <= numel_bound_, NotSupported,
               "resize to %zd elements, room for %zu", *numel, numel_bound_);
  if (dim_ != 0 && strides_ != nullptr) {
    MCUGEN_CHECK(dim_order_ != nullptr, InvalidState, "tensor without dim order");
    mcugen::set_strides(new_sizes.data(), dim_order_, new_sizes.size(), strides_);
  }
  for (size_t i = 0; i < new_sizes.size(); ++i) {
    sizes_[i] = new_sizes[i];
  }
  numel_ = *numel;
  return Error::Ok;
}

}  // namespace executorch::runtime::etensor
