// SPDX-License-Identifier: BSD-3-Clause
#include <executorch/runtime/core/exec_aten/util/scalar_type_util.h>
#include <executorch/runtime/executor/method_meta.h>
#include <runtime/executor/tensor_facts.h>
#include <runtime/platform/fail.h>
#include <runtime/platform/names.h>

namespace executorch::runtime {
namespace {

using executorch_flatbuffer::EValue;
using executorch_flatbuffer::ExecutionPlan;
using Indices = flatbuffers::Vector<int32_t, uint32_t>;

Error io_value(const ExecutionPlan* plan, const Indices* list, size_t index, const EValue** value) {
  MCUGEN_CHECK(index < flatbuffers::length(list), InvalidArgument, "no input or output %zu", index);
  return mcugen::value_at(plan, list->Get(static_cast<uint32_t>(index)), value);
}

Result<Tag> io_tag(const ExecutionPlan* plan, const Indices* list, size_t index) {
  const EValue* value;
  Error error = io_value(plan, list, index, &value);
  if (error != Error::Ok) {
    return error;
  }
  return mcugen::tag_of(value);
}

// The i-th attribute, or null; the number of attributes seen in *count.
const executorch_flatbuffer::Tensor* find_attribute(const ExecutionPlan* plan, size_t i,
                                                    size_t* count) {
  const auto* values = plan->values();
  *count = 0;
  for (uint32_t v = 0; v < flatbuffers::length(values); ++v) {
    const auto* tensor = values->Get(v)->val_as_Tensor();
    if (tensor != nullptr && mcugen::is_attribute(tensor) && (*count)++ == i) {
      return tensor;
    }
  }
  return nullptr;
}

}  // namespace

Result<TensorInfo> TensorInfo::create(Span<const int32_t> sizes, Span<const uint8_t> dim_order,
                                      executorch::aten::ScalarType scalar_type,
                                      const bool is_memory_planned, std::string_view name) {
  Result<ssize_t> numel = etensor::safe_numel(sizes.data(), static_cast<ssize_t>(sizes.size()));
  if (!numel.ok()) {
    return numel.error();
  }
  size_t nbytes;
  MCUGEN_CHECK(isValid(scalar_type) && !__builtin_mul_overflow(static_cast<size_t>(*numel),
                                                               elementSize(scalar_type), &nbytes),
               InvalidArgument, "tensor of scalar type %d with %zd elements",
               static_cast<int>(scalar_type), *numel);
  return TensorInfo(sizes, dim_order, scalar_type, is_memory_planned, name, nbytes);
}

TensorInfo::TensorInfo(Span<const int32_t> sizes, Span<const uint8_t> dim_order,
                       executorch::aten::ScalarType scalar_type, const bool is_memory_planned,
                       std::string_view name, size_t nbytes)
    : sizes_(sizes),
      dim_order_(dim_order),
      name_(name),
      scalar_type_(scalar_type),
      is_memory_planned_(is_memory_planned),
      nbytes_(nbytes) {}

Span<const int32_t> TensorInfo::sizes() const { return sizes_; }

Span<const uint8_t> TensorInfo::dim_order() const { return dim_order_; }

executorch::aten::ScalarType TensorInfo::scalar_type() const { return scalar_type_; }

bool TensorInfo::is_memory_planned() const { return is_memory_planned_; }

size_t TensorInfo::nbytes() const { return nbytes_; }

std::string_view TensorInfo::name() const { return name_; }

MethodMeta::MethodMeta(const ExecutionPlan* s_plan) : s_plan_(s_plan) {}

const char* MethodMeta::name() const {
  const auto* name = s_plan_->name();
  return name == nullptr ? "" : name->c_str();
}

size_t MethodMeta::num_inputs() const { return flatbuffers::length(s_plan_->inputs()); }

Result<Tag> MethodMeta::input_tag(size_t index) const {
  return io_tag(s_plan_, s_plan_->inputs(), index);
}

size_t MethodMeta::num_outputs() const { return flatbuffers::length(s_plan_->outputs()); }

Result<Tag> MethodMeta::output_tag(size_t index) const {
  return io_tag(s_plan_, s_plan_->outputs(), index);
}

namespace {

struct TensorMetaParts {
  mcugen::TensorFacts facts;
  bool planned;
  std::string_view name;
};

Error read_parts(const executorch_flatbuffer::Tensor* tensor, TensorMetaParts* parts) {
  parts->planned = tensor->allocation_info() != nullptr;
  parts->name = mcugen::tensor_name(tensor);
  return mcugen::read_tensor_facts(tensor, &parts->facts);
}

Error read_parts(const ExecutionPlan* plan, const Indices* list, size_t index,
                 TensorMetaParts* parts) {
  const EValue* value;
  Error error = io_value(plan, list, index, &value);
  if (error != Error::Ok) {
    return error;
  }
  const auto* tensor = value->val_as_Tensor();
  MCUGEN_CHECK(tensor != nullptr, InvalidArgument, "input or output %zu is not a tensor", index);
  return read_parts(tensor, parts);
}

}  // namespace

// TensorInfo's constructor is open to MethodMeta's members only.
#define MCUGEN_TENSOR_INFO(...)                                                        \
  TensorMetaParts parts;                                                               \
  Error error = read_parts(__VA_ARGS__, &parts);                                       \
  if (error != Error::Ok) {                                                            \
    return error;                                                                      \
  }                                                                                    \
  return TensorInfo({parts.facts.sizes, parts.facts.dim},                              \
                    {parts.facts.dim_order, parts.facts.dim}, parts.facts.scalar_type, \
                    parts.planned, parts.name, parts.facts.nbytes)

Result<TensorInfo> MethodMeta::input_tensor_meta(size_t index) const {
  MCUGEN_TENSOR_INFO(s_plan_, s_plan_->inputs(), index);
}

Result<TensorInfo> MethodMeta::output_tensor_meta(size_t index) const {
  MCUGEN_TENSOR_INFO(s_plan_, s_plan_->outputs(), index);
}

size_t MethodMeta::num_attributes() const {
  size_t count;
  find_attribute(s_plan_, SIZE_MAX, &count);
  return count;
}

Result<TensorInfo> MethodMeta::attribute_tensor_meta(size_t index) const {
  size_t count;
  const executorch_flatbuffer::Tensor* tensor = find_attribute(s_plan_, index, &count);
  MCUGEN_CHECK(tensor != nullptr, InvalidArgument, "attribute %zu of %zu", index, count);
  MCUGEN_TENSOR_INFO(tensor);
}

#undef MCUGEN_TENSOR_INFO

// Buffer 0 of the serialized list stands for the constants: it is not counted.

size_t MethodMeta::num_memory_planned_buffers() const {
  const uint32_t count = flatbuffers::length(s_plan_->non_const_buffer_sizes());
  return count == 0 ? 0 : count - 1;
}

Result<int64_t> MethodMeta::memory_planned_buffer_size(size_t index) const {
  MCUGEN_CHECK(index < num_memory_planned_buffers(), InvalidArgument, "no planned buffer %zu",
               index);
  return s_plan_->non_const_buffer_sizes()->Get(static_cast<uint32_t>(index) + 1);
}

Result<etensor::Device> MethodMeta::memory_planned_buffer_device(size_t index) const {
  MCUGEN_CHECK(index < num_memory_planned_buffers(), InvalidArgument, "no planned buffer %zu",
               index);
  const auto* devices = s_plan_->non_const_buffer_device();
  for (uint32_t i = 0; i < flatbuffers::length(devices); ++i) {
    const auto* device = devices->Get(i);
    // The serialized index counts buffer 0.
    if (device->buffer_idx() == static_cast<int64_t>(index) + 1) {
      return etensor::Device(static_cast<etensor::DeviceType>(device->device_type()),
                             device->device_index());
    }
  }
  return etensor::Device(etensor::DeviceType::CPU);
}

bool MethodMeta::uses_backend(const char* backend_name) const {
  ET_CHECK_MSG(backend_name != nullptr, "backend name is null");
  const auto* delegates = s_plan_->delegates();
  for (uint32_t i = 0; i < flatbuffers::length(delegates); ++i) {
    const auto* id = delegates->Get(i)->id();
    if (id != nullptr && mcugen::names_equal(id->c_str(), backend_name)) {
      return true;
    }
  }
  return false;
}

size_t MethodMeta::num_backends() const { return flatbuffers::length(s_plan_->delegates()); }

Result<const char*> MethodMeta::get_backend_name(size_t index) const {
  MCUGEN_CHECK(index < num_backends(), InvalidArgument, "backend %zu of %zu", index,
               num_backends());
  const auto* id = s_plan_->delegates()->Get(static_cast<uint32_t>(index))->id();
  MCUGEN_CHECK(id != nullptr, InvalidProgram, "backend %zu has no name", index);
  return id->c_str();
}

size_t MethodMeta::num_instructions() const {
  const auto* chains = s_plan_->chains();
  size_t count = 0;
  for (uint32_t i = 0; i < flatbuffers::length(chains); ++i) {
    count += flatbuffers::length(chains->Get(i)->instructions());
  }
  return count;
}

}  // namespace executorch::runtime
