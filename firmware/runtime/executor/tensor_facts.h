// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <executorch/runtime/core/error.h>
#include <executorch/runtime/core/exec_aten/exec_aten.h>
#include <executorch/runtime/core/tag.h>
#include <runtime/schema/program_reader.h>

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace mcugen {

/// What a serialized tensor is, after its checks. The pointers lead into the program.
struct TensorFacts {
  const int32_t* sizes;
  const uint8_t* dim_order;
  uint32_t dim;
  executorch::aten::ScalarType scalar_type;
  uint32_t element_bytes;
  size_t nbytes;
};

/// Reads a tensor's type and shape: the type is known, the rank at most 16, no size is negative,
/// elements and bytes fit `int32_t` and `ptrdiff_t` (so strides cannot overflow), the dim order is
/// a permutation.
///
/// @retval Error::InvalidProgram One of these does not hold; logged.
executorch::runtime::Error read_tensor_facts(const executorch_flatbuffer::Tensor* tensor,
                                             TensorFacts* facts);

/// @returns the tensor's name, empty if it has none; a NUL follows it.
std::string_view tensor_name(const executorch_flatbuffer::Tensor* tensor);

/// @returns whether the tensor can be asked for with get_attribute(): it has a name, and its data
/// is not outside of the program.
bool is_attribute(const executorch_flatbuffer::Tensor* tensor);

/// Finds the value at a serialized index.
/// @retval Error::InvalidProgram There is no such value, or it is of no type; logged.
executorch::runtime::Error value_at(const executorch_flatbuffer::ExecutionPlan* plan, int32_t index,
                                    const executorch_flatbuffer::EValue** value);

/// @returns the tag of a serialized value.
executorch::runtime::Tag tag_of(const executorch_flatbuffer::EValue* value);

}  // namespace mcugen
