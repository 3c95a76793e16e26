// SPDX-License-Identifier: BSD-3-Clause
#include <executorch/runtime/core/exec_aten/util/dim_order_util.h>
#include <executorch/runtime/core/exec_aten/util/scalar_type_util.h>
#include <executorch/runtime/core/exec_aten/util/tensor_dimension_limit.h>
#include <runtime/executor/tensor_facts.h>
#include <runtime/platform/fail.h>

namespace mcugen {

using executorch::runtime::Error;
using executorch::runtime::Result;
using executorch::runtime::Tag;

Error read_tensor_facts(const executorch_flatbuffer::Tensor* tensor, TensorFacts* facts) {
  const auto* sizes = tensor->sizes();
  const auto* dim_order = tensor->dim_order();
  const uint32_t dim = flatbuffers::length(sizes);
  const auto type = static_cast<executorch::aten::ScalarType>(tensor->scalar_type());

  MCUGEN_CHECK(executorch::runtime::isValid(type), InvalidProgram, "tensor of scalar type %d",
               static_cast<int>(type));
  MCUGEN_CHECK(dim <= executorch::runtime::kTensorDimensionLimit, InvalidProgram,
               "tensor of rank %u", static_cast<unsigned>(dim));
  facts->sizes = dim == 0 ? nullptr : sizes->data();
  facts->dim_order = dim == 0 ? nullptr : dim_order == nullptr ? nullptr : dim_order->data();
  facts->dim = dim;
  facts->scalar_type = type;
  facts->element_bytes = static_cast<uint32_t>(executorch::runtime::elementSize(type));
  MCUGEN_CHECK(flatbuffers::length(dim_order) == dim &&
                   executorch::runtime::validate_dim_order(facts->dim_order, dim),
               InvalidProgram, "tensor's dim order is not a permutation of %u dimensions",
               static_cast<unsigned>(dim));

  // Strides are products of sizes with every zero taken as one, so bound that product.
  uint64_t bound = facts->element_bytes;
  bool empty = false;
  for (uint32_t i = 0; i < dim; ++i) {
    const int32_t size = facts->sizes[i];
    empty = empty || size == 0;
    bound *= size == 0 ? 1 : static_cast<uint32_t>(size);
    MCUGEN_CHECK(size >= 0 && bound <= INT32_MAX, InvalidProgram,
                 "tensor's size %d at dimension %u is negative or too big", static_cast<int>(size),
                 static_cast<unsigned>(i));
  }
  facts->nbytes = empty ? 0 : static_cast<size_t>(bound);
  return Error::Ok;
}

std::string_view tensor_name(const executorch_flatbuffer::Tensor* tensor) {
  const auto* extra = tensor->extra_tensor_info();
  const auto* name = extra == nullptr ? nullptr : extra->fully_qualified_name();
  return name == nullptr ? std::string_view("", 0) : std::string_view(name->data(), name->size());
}

bool is_attribute(const executorch_flatbuffer::Tensor* tensor) {
  return !tensor_name(tensor).empty() && tensor->extra_tensor_info()->location() ==
                                             executorch_flatbuffer::TensorDataLocation::SEGMENT;
}

Result<const executorch_flatbuffer::EValue*> value_at(
    const executorch_flatbuffer::ExecutionPlan* plan, int64_t index) {
  const auto* values = plan->values();
  MCUGEN_CHECK(index >= 0 && index < static_cast<int64_t>(flatbuffers::length(values)),
               InvalidProgram, "value %" PRId64 " of %u", index,
               static_cast<unsigned>(flatbuffers::length(values)));
  const executorch_flatbuffer::EValue* value = values->Get(static_cast<uint32_t>(index));
  MCUGEN_CHECK(value->val() != nullptr, InvalidProgram, "value %" PRId64 " has no type", index);
  return value;
}

Tag tag_of(const executorch_flatbuffer::EValue* value) {
  using executorch_flatbuffer::KernelTypes;
  switch (value->val_type()) {
    case KernelTypes::Int:
      return Tag::Int;
    case KernelTypes::Bool:
      return Tag::Bool;
    case KernelTypes::Double:
      return Tag::Double;
    case KernelTypes::Tensor:
      return Tag::Tensor;
    case KernelTypes::String:
      return Tag::String;
    case KernelTypes::IntList:
      return Tag::ListInt;
    case KernelTypes::DoubleList:
      return Tag::ListDouble;
    case KernelTypes::BoolList:
      return Tag::ListBool;
    case KernelTypes::TensorList:
      return Tag::ListTensor;
    case KernelTypes::OptionalTensorList:
      return Tag::ListOptionalTensor;
    default:
      return Tag::None;
  }
}

}  // namespace mcugen
