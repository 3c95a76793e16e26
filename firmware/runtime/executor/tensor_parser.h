// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <executorch/runtime/core/error.h>
#include <executorch/runtime/core/exec_aten/exec_aten.h>
#include <executorch/runtime/executor/memory_manager.h>
#include <runtime/schema/program_reader.h>

namespace executorch::runtime {

class Program;

namespace deserialization {

/// Makes a TensorImpl of a serialized tensor. A class because Program names it a friend.
class TensorParser final {
 public:
  /// @param[in] program Holds the constants and the initial state of mutable tensors.
  /// @param[in] memory_manager Planned memory.
  /// @param[in] plan The method that the tensor belongs to.
  /// @param[in] serialized The tensor.
  /// @param[out] tensor Where to construct it.
  /// @param[in,out] shape_words Next free word; moved on by mcugen::shape_words().
  ///
  /// The data pointer afterwards: constants lead into the program, planned tensors into planned
  /// memory (filled with the initial state if there is one), others are null.
  ///
  /// @retval Error::Ok Done.
  /// @retval Error::InvalidProgram The tensor contradicts itself, its plan or its constant.
  /// @retval Error::NotSupported It is unbounded, external, offset, or not on the CPU.
  /// @retval Error::InvalidArgument, Error::MemoryAllocationFailed Planned memory does not suit.
  static Error parse(const Program* program, MemoryManager* memory_manager,
                     const executorch_flatbuffer::ExecutionPlan* plan,
                     const executorch_flatbuffer::Tensor* serialized,
                     executorch::aten::TensorImpl* tensor, int32_t** shape_words);

 private:
  static Error find_data(const Program* program, MemoryManager* memory_manager,
                         const executorch_flatbuffer::ExecutionPlan* plan,
                         const executorch_flatbuffer::Tensor* serialized, size_t nbytes,
                         void** data);
};

}  // namespace deserialization
}  // namespace executorch::runtime
