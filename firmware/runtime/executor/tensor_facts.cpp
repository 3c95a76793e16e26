// SPDX-License-Identifier: BSD-3-Clause
#include <executorch/runtime/core/exec_aten/util/dim_order_util.h>
#include <executorch/runtime/core/exec_aten/util/scalar_type_util.h>
#include <executorch/runtime/core/exec_aten/util/tensor_dimension_limit.h>
#include <runtime/executor/tensor_facts.h>
#include <runtime/platform/fail.h>

namespace mcugen {

using executorch::runtime::Error;
using executorch::runtime::Tag;

Error read_tensor_facts(const executorch_flatbuffer::Tensor* tensor, TensorFacts* facts) {
  const auto* sizes = tensor->sizes();
  const auto* dim_order = tensor->dim_order();
  const uint32_t dim = flatbuffers::length(sizes);
  const auto type = static_cast<executorch::aten::ScalarType>(tensor->scalar_type());

  MCUGEN_CHECK_FILE(executorch::runtime::isValid(type), InvalidProgram, "tensor of scalar type %d",
                    static_cast<int>(type));
  MCUGEN_CHECK_FILE(dim <= executorch::runtime::kTensorDimensionLimit, InvalidProgram,
                    "tensor of rank %u", static_cast<unsigned>(dim));
  facts->sizes = dim == 0 ? nullptr : sizes->data();
  facts->dim_order = dim == 0 ? nullptr : dim_order == nullptr ? nullptr : dim_order->data();
  facts->dim = dim;
  facts->scalar_type = type;
  facts->element_bytes = static_cast<uint32_t>(executorch::runtime::elementSize(type));
  MCUGEN_CHECK_FILE(flatbuffers::length(dim_order) == dim &&
                        executorch::runtime::validate_dim_order(facts->dim_order, dim),
                    InvalidProgram, "tensor's dim order is not a permutation");

  // Strides are products of sizes with every zero taken as one, so bound that product.
  uint64_t bound = facts->element_bytes;
  bool empty = false;
  for (uint32_t i = 0; i < dim; ++i) {
    const int32_t size = facts->sizes[i];
    empty = empty || size == 0;
    bound *= size == 0 ? 1 : static_cast<uint32_t>(size);
    MCUGEN_CHECK_FILE(size >= 0 && bound <= INT32_MAX, InvalidProgram,
                      "tensor's size %d is negative, or too big", static_cast<int>(size));
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

Error value_at(const executorch_flatbuffer::ExecutionPlan* plan, int32_t index,
               const executorch_flatbuffer::EValue** value) {
  const auto* values = plan->values();
  const uint32_t count = flatbuffers::length(values);
  // A negative index is a huge one.
  MCUGEN_CHECK_FILE(static_cast<uint32_t>(index) < count, InvalidProgram, "no value %d",
                    static_cast<int>(index));
  *value = values->Get(static_cast<uint32_t>(index));
  MCUGEN_CHECK_FILE((*value)->val() != nullptr, InvalidProgram, "value %d has no type",
                    static_cast<int>(index));
  return Error::Ok;
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
