// SPDX-License-Identifier: BSD-3-Clause
#include <executorch/runtime/core/exec_aten/util/tensor_util.h>
#include <executorch/runtime/executor/method.h>
#include <executorch/runtime/executor/program.h>
#include <runtime/executor/method_values.h>
#include <runtime/executor/tensor_facts.h>
#include <runtime/platform/config.h>
#include <runtime/platform/fail.h>

#include <cstring>

// Inputs, outputs and values of a method. Loading is in method_load.cpp, execution in
// method_execute.cpp.

namespace executorch::runtime {

using executorch::aten::Tensor;

namespace {

// What set_input() does with a tensor, or with each tensor of a list.
Error set_tensor(const Tensor& to, const Tensor& from, const executorch_flatbuffer::Tensor* plan,
                 size_t input_idx) {
  MCUGEN_CHECK(to.scalar_type() == from.scalar_type(), InvalidArgument,
               "input %zu is of scalar type %d", input_idx, static_cast<int>(to.scalar_type()));
  Error error = resize_tensor(to, from.sizes());
  if (error != Error::Ok) {
    return error;  // Logged, with the sizes.
  }
  // There is one dim order of rank 0 or 1; a caller may not have given it.
  MCUGEN_CHECK(from.dim() < 2 || from.dim_order() == to.dim_order(), InvalidArgument,
               "input %zu is of another dim order", input_idx);
  return plan->allocation_info() != nullptr ? internal::copy_tensor_data(to, from)
                                            : internal::share_tensor_data(to, from);
}

#if MCUGEN_RUNTIME_FULL
Error set_list(const EValue& to, const EValue& from,
               const executorch_flatbuffer::ExecutionPlan* plan, size_t index, size_t input_idx) {
  const auto items = to.payload.copyable_union.as_tensor_list_ptr->get();
  const auto* indices =
      plan->values()->Get(static_cast<uint32_t>(index))->val_as_TensorList()->items();
  Result<executorch::aten::ArrayRef<Tensor>> source = from.tryToTensorList();
  MCUGEN_CHECK(
      source.ok() && source->size() == items.size() && items.size() == flatbuffers::length(indices),
      InvalidArgument, "input %zu is a list of %zu tensors", input_idx, items.size());
  for (uint32_t i = 0; i < items.size(); ++i) {
    const auto* item = plan->values()->Get(static_cast<uint32_t>(indices->Get(i)));
    Error error = set_tensor(items[i], (*source)[i], item->val_as_Tensor(), input_idx);
    if (error != Error::Ok) {
      return error;
    }
  }
  return Error::Ok;
}

template <typename T>
bool same_list(Result<executorch::aten::ArrayRef<T>> a, Result<executorch::aten::ArrayRef<T>> b) {
  // equals() would compare doubles by value, and NaN with itself as different.
  return a.ok() && b.ok() && a->size() == b->size() &&
         (a->empty() || memcmp(a->data(), b->data(), a->size() * sizeof(T)) == 0);
}
#endif

}  // namespace

Error Method::set_input(const EValue& input_evalue, size_t input_idx) {
  MCUGEN_CHECK(initialized(), InvalidState, "method is not initialized");
  MCUGEN_CHECK(input_idx < inputs_size(), InvalidArgument, "no input %zu", input_idx);
  const size_t index = get_input_index(input_idx);
  EValue& input = mutable_value(index);
  MCUGEN_CHECK(input.tag == input_evalue.tag, InvalidArgument, "input %zu is of another type",
               input_idx);
  bool same;
  switch (input.tag) {
    case Tag::Tensor:
      return set_tensor(
          tensor_of(input), tensor_of(input_evalue),
          serialization_plan_->values()->Get(static_cast<uint32_t>(index))->val_as_Tensor(),
          input_idx);
    // Other inputs were folded into the program when it was traced: only their value will do.
    case Tag::Int:
    case Tag::Double:  // Bit by bit: 8 bytes, like the int.
      same = input.payload.copyable_union.as_int == input_evalue.payload.copyable_union.as_int;
      break;
    case Tag::Bool:
      same = input.payload.copyable_union.as_bool == input_evalue.payload.copyable_union.as_bool;
      break;
#if MCUGEN_ANY_PROGRAM
    case Tag::String:
      same = input.payload.copyable_union.as_string_ptr->equals(
          *input_evalue.payload.copyable_union.as_string_ptr);
      break;
#endif
    case Tag::None:
      same = true;
      break;
#if MCUGEN_RUNTIME_FULL
    case Tag::ListInt:
      same = same_list(input.tryToIntList(), input_evalue.tryToIntList());
      break;
    case Tag::ListDouble:
      same = same_list(input.tryToDoubleList(), input_evalue.tryToDoubleList());
      break;
    case Tag::ListBool:
      same = same_list(input.tryToBoolList(), input_evalue.tryToBoolList());
      break;
    case Tag::ListTensor:
      return set_list(input, input_evalue, serialization_plan_, index, input_idx);
#endif
    default:
      return MCUGEN_FAIL(NotSupported, "input %zu is a list", input_idx);
  }
  MCUGEN_CHECK(same, InvalidArgument, "input %zu is not the value that was traced", input_idx);
  return Error::Ok;
}

Error Method::set_inputs(const executorch::aten::ArrayRef<EValue>& input_evalues) {
  MCUGEN_CHECK(initialized(), InvalidState, "method is not initialized");
  MCUGEN_CHECK(input_evalues.size() == inputs_size(), InvalidArgument, "%zu inputs, not %zu",
               inputs_size(), input_evalues.size());
  for (size_t i = 0; i < input_evalues.size(); ++i) {
    Error error = set_input(input_evalues[i], i);
    if (error != Error::Ok) {
      return error;
    }
  }
  return Error::Ok;
}

Error Method::set_output_data_ptr(void* buffer, size_t size, size_t output_idx) {
  MCUGEN_CHECK(initialized(), InvalidState, "method is not initialized");
  MCUGEN_CHECK(output_idx < outputs_size(), InvalidArgument, "no output %zu", output_idx);
  const size_t index = get_output_index(output_idx);
  EValue& output = mutable_value(index);
  MCUGEN_CHECK(output.isTensor(), InvalidArgument, "output %zu is not a tensor", output_idx);
  const auto* tensor =
      serialization_plan_->values()->Get(static_cast<uint32_t>(index))->val_as_Tensor();
  MCUGEN_CHECK(tensor->allocation_info() == nullptr && tensor->data_buffer_idx() == 0, InvalidState,
               "output %zu has its memory from the plan", output_idx);
  return internal::set_tensor_data(tensor_of(output), buffer, size);
}

namespace {

Error copy_values(const EValue* values, const flatbuffers::Vector<int32_t, uint32_t>* indices,
                  EValue* out, size_t length) {
  const size_t count = flatbuffers::length(indices);
  MCUGEN_CHECK(length >= count, InvalidArgument, "room for %zu values of %zu", length, count);
  for (size_t i = 0; i < length; ++i) {
    out[i] = i < count ? values[indices->Get(static_cast<uint32_t>(i))] : EValue();
  }
  return Error::Ok;
}

}  // namespace

Error Method::get_outputs(EValue* output_evalues, size_t length) {
  MCUGEN_CHECK(initialized(), InvalidState, "method is not initialized");
  return copy_values(values_, serialization_plan_->outputs(), output_evalues, length);
}

Error Method::get_inputs(EValue* input_evalues, size_t length) {
  MCUGEN_CHECK(initialized(), InvalidState, "method is not initialized");
  return copy_values(values_, serialization_plan_->inputs(), input_evalues, length);
}

Result<Tensor> Method::get_attribute(std::string_view name) {
  MCUGEN_CHECK(initialized(), InvalidState, "method is not initialized");
  for (uint32_t i = 0; i < n_value_; ++i) {
    const auto* tensor = serialization_plan_->values()->Get(i)->val_as_Tensor();
    if (tensor != nullptr && mcugen::is_attribute(tensor) && name == mcugen::tensor_name(tensor)) {
      return tensor_of(values_[i]);
    }
  }
  return MCUGEN_FAIL(NotFound, "no attribute %.*s", static_cast<int>(name.size()), name.data());
}

MethodMeta Method::method_meta() const {
  // Loaded by its name, so it has one, and the program still finds it.
  return program_->method_meta(serialization_plan_->name()->c_str()).get();
}

size_t Method::inputs_size() const { return flatbuffers::length(serialization_plan_->inputs()); }

size_t Method::outputs_size() const { return flatbuffers::length(serialization_plan_->outputs()); }

namespace {

// Loading has checked that the indices are those of values.
size_t index_at(const flatbuffers::Vector<int32_t, uint32_t>* indices, size_t i) {
  ET_CHECK(i < flatbuffers::length(indices));
  return static_cast<size_t>(indices->Get(static_cast<uint32_t>(i)));
}

}  // namespace

size_t Method::get_input_index(size_t i) const {
  return index_at(serialization_plan_->inputs(), i);
}

size_t Method::get_output_index(size_t i) const {
  return index_at(serialization_plan_->outputs(), i);
}

const EValue& Method::get_value(size_t i) const { return values_[i]; }

EValue& Method::mutable_value(size_t i) { return values_[i]; }

const EValue& Method::get_output(size_t i) const { return get_value(get_output_index(i)); }

const EValue& Method::get_input(size_t i) const { return get_value(get_input_index(i)); }

EValue& Method::mutable_input(size_t i) { return mutable_value(get_input_index(i)); }

EValue& Method::mutable_output(size_t i) { return mutable_value(get_output_index(i)); }

EventTracer* Method::get_event_tracer() { return event_tracer_; }

}  // namespace executorch::runtime
