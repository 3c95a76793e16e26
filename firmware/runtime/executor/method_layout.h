// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <executorch/runtime/core/evalue.h>
#include <executorch/runtime/executor/method.h>
#include <runtime/schema/program_reader.h>

#include <cstddef>
#include <cstdint>
#include <optional>

namespace executorch::runtime {

/// The instructions of one serialized chain, everything looked up and checked. What they are called
/// with stays in the program, as indices of values.
struct Chain {
  enum class Kind : uint32_t {
    kKernel,         ///< Call the kernel.
    kCheckedKernel,  ///< The same, but a tensor among the arguments may be without memory.
    kMove,           ///< One value becomes another.
    kJumpFalse,      ///< Go on at `destination` if a value is false.
    kFree,           ///< Nothing: no tensor's memory is the runtime's to free.
  };

  struct Instruction {
    union {
      OpFunction kernel;
      uint32_t destination;
    };
    Kind kind : 3;
    uint32_t args_words : 29;  ///< From `serialized` to a call's arguments, in four bytes.
  };

  Instruction* instructions;
  EValue** args;  ///< Room for the arguments of any call of the method.
  const flatbuffers::Vector<flatbuffers::Offset<executorch_flatbuffer::Instruction>, uint32_t>*
      serialized;  ///< As many instructions, in the program.

  uint32_t size() const { return flatbuffers::length(serialized); }

  using Indices = flatbuffers::Vector<int32_t, uint32_t>;

  /// Offsets of a flatbuffer point forward, and its vectors are aligned to four bytes.
  void set_indices(const Indices* indices, Instruction* instruction) const {
    const auto bytes = static_cast<size_t>(address(indices) - address(serialized));
    instruction->args_words = static_cast<uint32_t>(bytes / 4) & 0x1FFF'FFFF;
  }

  /// @returns the indices of the values that a kernel call has for arguments.
  const Indices* indices(const Instruction& instruction) const {
    return reinterpret_cast<const Indices*>(address(serialized) +
                                            size_t{4} * instruction.args_words);
  }

 private:
  static const uint8_t* address(const void* table) { return static_cast<const uint8_t*>(table); }
};

}  // namespace executorch::runtime

namespace mcugen {

/// The arrays that a method keeps in the method allocator: one block, in this order. No element is
/// more aligned than the ones before it, so that there is no padding between.
/// generator/mcugen/program/runtime_layout.py computes the same sum; a test holds the two equal.
enum Pool : uint8_t {
  kValues,         ///< EValue
  kIntItems,       ///< int64_t: what IntLists unbox into.
  kTensors,        ///< TensorImpl
  kIntLists,       ///< BoxedEvalueList<int64_t>
  kTensorLists,    ///< BoxedEvalueList<Tensor>
  kOptionalLists,  ///< BoxedEvalueList<optional<Tensor>>
  kArrays,         ///< ArrayRef: strings, double and bool lists; their data stays in the program.
  kOptionalItems,  ///< optional<Tensor>
  kTensorItems,    ///< Tensor
  kChains,         ///< Chain
  kInstructions,   ///< Chain::Instruction
  kPointers,       ///< EValue*: items of lists, the arguments of one call.
  kShapeWords,     ///< int32_t: strides; of a bounded tensor sizes, then strides.
  kMarks,          ///< uint8_t, one per value; none unless MCUGEN_CHECK_OUTPUTS.
  kNumPools,
};

/// What loading a method takes.
struct MethodLayout {
  /// Counts it. No count can overflow: verify_program() visits at most 2^30 bytes, and every
  /// element is among the bytes visited.
  explicit MethodLayout(const executorch_flatbuffer::ExecutionPlan* plan);

  /// @returns the size of the block.
  uint64_t bytes() const;

  /// Divides a block of bytes(), aligned as an EValue.
  /// @param[out] pools The start of each array.
  void divide(void* block, uint8_t* pools[kNumPools]) const;

  uint32_t count[kNumPools];
  bool has_moves;
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
static_assert(sizeof(executorch::runtime::Chain) == 12);
static_assert(sizeof(executorch::runtime::Chain::Instruction) == 8);
#endif

}  // namespace mcugen
