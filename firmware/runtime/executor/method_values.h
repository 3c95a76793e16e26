// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <executorch/runtime/core/evalue.h>
#include <runtime/platform/config.h>
#include <runtime/schema/program_reader.h>

#include <cstdint>

// What loading and execution both ask of values and calls.

namespace mcugen {

/// @returns the operator's name without its overload, of a call whose operator has been found.
inline const char* operator_name(const executorch_flatbuffer::ExecutionPlan* plan,
                                 const executorch_flatbuffer::KernelCall* call) {
  return plan->operators()->Get(static_cast<uint32_t>(call->op_index()))->name()->c_str();
}

/// @returns whether the call is of the operator that gives its last argument the memory of its
///     first. It may not have been looked for yet.
bool is_view(const executorch_flatbuffer::ExecutionPlan* plan,
             const executorch_flatbuffer::KernelCall* call);

}  // namespace mcugen

namespace executorch::runtime {

/// The tag is known to be Tensor: toTensor() would check again and keep a message for it.
inline const executorch::aten::Tensor& tensor_of(const EValue& value) {
  return value.payload.as_tensor;
}

inline bool has_memory(const executorch::aten::Tensor& tensor) {
  return tensor.const_data_ptr() != nullptr || tensor.numel() == 0;
}

/// @returns whether the tensor at `index`, or each tensor of the list there, has memory now.
bool has_memory(const executorch_flatbuffer::ExecutionPlan* plan, const EValue* values,
                int32_t index);

}  // namespace executorch::runtime
