// SPDX-License-Identifier: BSD-3-Clause
#include <runtime/executor/method_values.h>
#include <runtime/platform/names.h>

#include <optional>

namespace mcugen {

bool is_view(const executorch_flatbuffer::ExecutionPlan* plan,
             const executorch_flatbuffer::KernelCall* call) {
  const uint32_t index = static_cast<uint32_t>(call->op_index());
  if (index >= flatbuffers::length(plan->operators())) {
    return false;
  }
  const auto* op = plan->operators()->Get(index)->name();
  return op != nullptr && names_equal(op->c_str(), "executorch_prim::et_view");
}

}  // namespace mcugen

namespace executorch::runtime {

bool has_memory([[maybe_unused]] const executorch_flatbuffer::ExecutionPlan* plan,
                const EValue* values, int32_t index) {
  const EValue& value = values[index];
  if (value.isTensor()) {
    return has_memory(tensor_of(value));
  }
#if MCUGEN_RUNTIME_FULL
  if (value.isTensorList()) {
    for (const executorch::aten::Tensor& item :
         value.payload.copyable_union.as_tensor_list_ptr->get()) {
      if (!has_memory(item)) {
        return false;
      }
    }
  } else if (value.isListOptionalTensor()) {
    for (const std::optional<executorch::aten::Tensor>& item :
         value.payload.copyable_union.as_list_optional_tensor_ptr->get()) {
      if (item.has_value() && !has_memory(*item)) {
        return false;
      }
    }
  }
#elif MCUGEN_ANY_PROGRAM
  // Lists are not moved here, so their items are where the file puts them; in fewer bytes.
  const executorch_flatbuffer::EValue* serialized =
      plan->values()->Get(static_cast<uint32_t>(index));
  const flatbuffers::Vector<int32_t, uint32_t>* items = nullptr;
  if (const auto* list = serialized->val_as_TensorList()) {
    items = list->items();
  } else if (const auto* optionals = serialized->val_as_OptionalTensorList()) {
    items = optionals->items();
  }
  for (uint32_t i = 0; i < flatbuffers::length(items); ++i) {
    const int32_t item = items->Get(i);
    if (item >= 0 && values[item].isTensor() && !has_memory(tensor_of(values[item]))) {
      return false;
    }
  }
#endif
  return true;
}

}  // namespace executorch::runtime
