// SPDX-License-Identifier: BSD-3-Clause
#include <executorch/runtime/core/exec_aten/util/dim_order_util.h>
#include <executorch/runtime/core/exec_aten/util/scalar_type_util.h>
#include <executorch/runtime/core/exec_aten/util/tensor_dimension_limit.h>
#include <executorch/runtime/core/portable_type/tensor_impl.h>
#include <runtime/platform/fail.h>

namespace executorch::runtime::etensor {

ssize_t compute_numel(const TensorImpl::SizesType* sizes, ssize_t dim) {
  Result<ssize_t> numel = safe_numel(sizes, dim);
  ET_CHECK_MSG(numel.ok(), "Sizes are not those of a tensor");
  return *numel;
}

Result<ssize_t> safe_numel(const TensorImpl::SizesType* sizes, ssize_t dim) {
  MCUGEN_CHECK(dim == 0 || sizes != nullptr, InvalidArgument, "no sizes for rank %zd", dim);
  ssize_t numel = 1;
  for (ssize_t i = 0; i < dim; ++i) {
    MCUGEN_CHECK(sizes[i] >= 0 && !__builtin_mul_overflow(numel, sizes[i], &numel), InvalidArgument,
                 "size %d at dimension %zd: negative, or too many elements",
                 static_cast<int>(sizes[i]), i);
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
  ET_CHECK_MSG(isValid(type_), "Invalid type %d", static_cast<int>(type_));
  ET_CHECK_MSG(dim_ >= 0, "Rank %zd", dim_);
}

size_t TensorImpl::nbytes() const {
  return static_cast<size_t>(numel_) * static_cast<size_t>(element_size());
}

ssize_t TensorImpl::element_size() const { return static_cast<ssize_t>(elementSize(type_)); }

Error TensorImpl::internal_resize_contiguous(ArrayRef<SizesType> new_sizes) {
  MCUGEN_CHECK(new_sizes.size() == static_cast<size_t>(dim_), NotSupported,
               "resize of a tensor of rank %zd to rank %zu", dim_, new_sizes.size());
  if (shape_dynamism_ == TensorShapeDynamism::STATIC) {
    // Sizes and strides may be in flash: they are compared, never written.
    for (size_t i = 0; i < new_sizes.size(); ++i) {
      MCUGEN_CHECK(sizes_[i] == new_sizes[i], NotSupported,
                   "resize of a static tensor: dimension %zu from %d to %d", i,
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
               "resize to %zd elements: there is room for %zu", *numel, numel_bound_);
  if (dim_ != 0 && strides_ != nullptr) {
    MCUGEN_CHECK(dim_order_ != nullptr, InvalidState, "resize of a tensor without dim order");
    Error error = dim_order_to_stride(new_sizes.data(), dim_order_, new_sizes.size(), strides_);
    if (error != Error::Ok) {
      return error;
    }
  }
  for (size_t i = 0; i < new_sizes.size(); ++i) {
    sizes_[i] = new_sizes[i];
  }
  numel_ = *numel;
  return Error::Ok;
}

}  // namespace executorch::runtime::etensor
