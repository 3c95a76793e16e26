// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <executorch/runtime/core/evalue.h>
#include <executorch/runtime/executor/method.h>
#include <runtime/schema/program_reader.h>

#include <cstddef>
#include <cstdint>
#include <optional>

namespace executorch::runtime {

/// The instructions of one serialized chain, everything looked up and checked.
struct Chain {
  enum class Kind : uint8_t {
    kKernel,         ///< Call the kernel.
    kCheckedKernel,  ///< The same, but a tensor among the arguments may be without memory.
    kMove,           ///< *args[1] = *args[0].
    kJumpFalse,      ///< Go on at `destination` if *args[0] is false.
    kFree,           ///< Nothing: no tensor's memory is the runtime's to free.
  };

  struct Instruction {
    union {
      OpFunction kernel;
      uint32_t destination;
    };
    EValue** args;
    uint16_t n_args;
    Kind kind;
  };

  Instruction* instructions;
  uint32_t n_instructions;
};

}  // namespace executorch::runtime

namespace mcugen {

/// Everything a method keeps in the method allocator: one block, these arrays in this order, each
/// element type at most as aligned as the one before it, so that there is no padding between.
/// generator/mcugen/runtime_layout.py computes the same sum; a test holds the two equal.
struct MethodPools {
  executorch::runtime::EValue* values;
  int64_t* int_items;  ///< What IntLists unbox into.
  executorch::aten::TensorImpl* tensors;
  executorch::runtime::BoxedEvalueList<int64_t>* int_lists;
  executorch::runtime::BoxedEvalueList<executorch::aten::Tensor>* tensor_lists;
  executorch::runtime::BoxedEvalueList<std::optional<executorch::aten::Tensor>>* optional_lists;
  executorch::aten::ArrayRef<char>* arrays;  ///< Strings, double and bool lists: data in place.
  std::optional<executorch::aten::Tensor>* optional_items;
  executorch::aten::Tensor* tensor_items;
  executorch::runtime::Chain* chains;
  executorch::runtime::Chain::Instruction* instructions;
  executorch::runtime::EValue** pointers;  ///< Items of lists, arguments of instructions.
  int32_t* shape_words;                    ///< Strides; for a bounded tensor sizes, then strides.
};

/// The number of elements of each array of MethodPools. No sum can overflow: verify_program()
/// visits at most 2^30 bytes, and every element here is one of the bytes visited.
struct MethodLayout {
  uint32_t values = 0;
  uint32_t int_items = 0;
  uint32_t tensors = 0;
  uint32_t int_lists = 0;
  uint32_t tensor_lists = 0;
  uint32_t optional_lists = 0;
  uint32_t arrays = 0;
  uint32_t optional_items = 0;
  uint32_t tensor_items = 0;
  uint32_t chains = 0;
  uint32_t instructions = 0;
  uint32_t pointers = 0;
  uint32_t shape_words = 0;
  uint32_t moves = 0;  ///< Move instructions; they take no array of their own.

  /// Counts what loading `plan` takes.
  explicit MethodLayout(const executorch_flatbuffer::ExecutionPlan* plan);

  /// @returns the size of the block in bytes.
  uint64_t bytes() const;

  /// Divides a block of bytes(), aligned as an EValue.
  MethodPools divide(void* block) const;
};

/// @returns how many shape_words a tensor takes. One stride of one is shared by all vectors;
/// a static tensor's sizes, and every dim order, stay in the program.
inline uint32_t shape_words(uint32_t dim, bool is_static) {
  return is_static ? (dim < 2 ? 0 : dim) : 2 * dim;
}

#if __SIZEOF_POINTER__ == 4
// What runtime_layout.py counts with.
static_assert(sizeof(executorch::runtime::EValue) == 16);
static_assert(alignof(executorch::runtime::EValue) == 8);
static_assert(sizeof(executorch::aten::TensorImpl) == 32);
static_assert(sizeof(executorch::runtime::BoxedEvalueList<int64_t>) == 12);
static_assert(sizeof(executorch::runtime::BoxedEvalueList<executorch::aten::Tensor>) == 12);
static_assert(sizeof(executorch::aten::ArrayRef<char>) == 8);
static_assert(sizeof(std::optional<executorch::aten::Tensor>) == 8);
static_assert(sizeof(executorch::aten::Tensor) == 4);
static_assert(sizeof(executorch::runtime::Chain) == 8);
static_assert(sizeof(executorch::runtime::Chain::Instruction) == 12);
#endif

}  // namespace mcugen
