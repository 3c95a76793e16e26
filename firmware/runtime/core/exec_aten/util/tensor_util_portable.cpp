// SPDX-License-Identifier: BSD-3-Clause
#include <executorch/runtime/core/exec_aten/util/dim_order_util.h>
#include <executorch/runtime/core/exec_aten/util/tensor_util.h>
#include <runtime/platform/fail.h>

#include <cstring>

namespace executorch::runtime {

using executorch::aten::Tensor;

namespace internal {

Error share_tensor_data(const Tensor& t_dst, const Tensor& t_src) {
  MCUGEN_CHECK(t_dst.nbytes() == t_src.nbytes(), InvalidArgument,
               "data of %zu bytes for a tensor of %zu", t_src.nbytes(), t_dst.nbytes());
  MCUGEN_CHECK(t_src.const_data_ptr() != nullptr || t_src.nbytes() == 0, InvalidArgument,
               "tensor without data");
  t_dst.unsafeGetTensorImpl()->set_data(t_src.mutable_data_ptr());
  return Error::Ok;
}

Error copy_tensor_data(const Tensor& t_dst, const Tensor& t_src) {
  MCUGEN_CHECK(t_dst.nbytes() == t_src.nbytes(), InvalidArgument,
               "data of %zu bytes for a tensor of %zu", t_src.nbytes(), t_dst.nbytes());
  // The caller may hand back the tensor it got from get_inputs().
  if (t_dst.nbytes() == 0 || t_dst.const_data_ptr() == t_src.const_data_ptr()) {
    return Error::Ok;
  }
  MCUGEN_CHECK(t_dst.const_data_ptr() != nullptr && t_src.const_data_ptr() != nullptr,
               InvalidArgument, "tensor without data");
  memcpy(t_dst.mutable_data_ptr(), t_src.const_data_ptr(), t_src.nbytes());
  return Error::Ok;
}

Error set_tensor_data(const Tensor& t, void* buffer, size_t buffer_size) {
  MCUGEN_CHECK(buffer_size >= t.nbytes(), InvalidArgument, "data of %zu bytes for a tensor of %zu",
               buffer_size, t.nbytes());
  t.unsafeGetTensorImpl()->set_data(buffer);
  return Error::Ok;
}

void reset_data_ptr(const Tensor& tensor) { tensor.unsafeGetTensorImpl()->set_data(nullptr); }

/// Declared a friend by TensorImpl.
class TensorResizerFriend final {
 public:
  static Error resize(executorch::aten::TensorImpl* impl,
                      executorch::aten::ArrayRef<executorch::aten::SizesType> new_sizes) {
    return impl->internal_resize_contiguous(new_sizes);
  }
};

Error resize_tensor_impl(executorch::aten::TensorImpl* impl,
                         executorch::aten::ArrayRef<executorch::aten::SizesType> new_sizes) {
  return TensorResizerFriend::resize(impl, new_sizes);
}

}  // namespace internal

namespace {

bool is_default(const Tensor& t) {
  return is_contiguous_dim_order(t.dim_order().data(), t.dim_order().size());
}

bool is_channels_last(const Tensor& t) {
  return is_channels_last_dim_order(t.dim_order().data(), t.dim_order().size());
}

// Logs the one line that tensor checks owe their caller.
bool check(bool condition, [[maybe_unused]] const char* what) {
  if (!condition) {
    ET_LOG(Error, "%s", what);
  }
  return condition;
}

}  // namespace

Error get_dim_order(const Tensor& tensor, executorch::aten::DimOrderType* out_dim_order,
                    size_t out_dim_order_size) {
  MCUGEN_CHECK(out_dim_order_size == tensor.dim_order().size(), InvalidArgument,
               "room for a dim order of %zu, tensor of rank %zu", out_dim_order_size,
               tensor.dim_order().size());
  for (size_t i = 0; i < out_dim_order_size; ++i) {
    out_dim_order[i] = tensor.dim_order()[i];
  }
  return Error::Ok;
}

bool tensor_has_valid_dim_order(Tensor t) {
  return check(validate_dim_order(t.dim_order().data(), t.dim_order().size()),
               "tensor's dim order is not a permutation");
}

bool tensor_is_default_or_channels_last_dim_order(Tensor t) {
  return check(is_default(t) || is_channels_last(t),
               "tensor's dim order is neither default nor channels last");
}

bool tensor_is_default_dim_order(Tensor t) {
  return check(is_default(t), "tensor's dim order is not the default");
}

bool tensor_is_channels_last_dim_order(Tensor t) {
  return check(is_channels_last(t), "tensor's dim order is not channels last");
}

bool tensors_have_same_dim_order(const executorch::aten::ArrayRef<Tensor> tensor_list) {
  // Broadcasting brings ranks together that differ; their dim orders then are the same in kind.
  bool all_default = true;
  bool all_channels_last = true;
  bool all_equal = true;
  for (size_t i = 0; i < tensor_list.size(); ++i) {
    all_default = all_default && is_default(tensor_list[i]);
    all_channels_last = all_channels_last && is_channels_last(tensor_list[i]);
    all_equal = all_equal && tensor_list[i].dim_order() == tensor_list[0].dim_order();
  }
  return check(all_default || all_channels_last || all_equal, "tensors differ in dim order");
}

}  // namespace executorch::runtime
