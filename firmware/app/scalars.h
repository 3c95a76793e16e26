// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <executorch/runtime/core/error.h>
#include <executorch/runtime/core/evalue.h>
#include <executorch/runtime/executor/method.h>
#include <executorch/runtime/executor/method_meta.h>

#include <cstddef>
#include <cstdint>

/// Inputs and outputs that are numbers: an int or a double travels as 8 bytes, a bool as 1, None as
/// none. `embedded/` knows of tensors only, and link-time optimization leaves nothing of it.

namespace mcugen {

enum class Side : uint8_t { kInput, kOutput };

/// What the model module needs to know of an input or output.
struct IoFacts {
  size_t bytes;
  int8_t dtype;
  bool planned;
};

/// @returns the place of an input or output in the io pool.
using IoAddress = uint8_t* (*)(size_t index);

/// @param[out] facts Set only for a number.
/// @returns whether it is a number.
bool scalar_facts(executorch::runtime::MethodMeta& meta, Side side, size_t index, IoFacts* facts);

/// Stage the inputs that are numbers. They were traced into the program, which takes that value
/// only: it is there without being sent.
void scalars_stage(executorch::runtime::MethodMeta& meta, executorch::runtime::Method& method,
                   IoAddress input_address);

/// Hand over a staged number.
/// @param[out] error Set only for a number.
/// @returns whether the input is a number.
bool scalar_set_input(executorch::runtime::MethodMeta& meta, executorch::runtime::Method& method,
                      size_t index, IoAddress input_address, executorch::runtime::Error* error);

/// Put an output that is a number where it can be read.
/// @param[out] data Set only for a number.
/// @returns whether it is a number.
bool scalar_read_output(const executorch::runtime::EValue& value, size_t bytes, size_t index,
                        IoAddress output_address, uint8_t** data);

}  // namespace mcugen
