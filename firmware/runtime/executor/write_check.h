// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <executorch/runtime/core/error.h>
#include <executorch/runtime/core/evalue.h>
#include <runtime/platform/config.h>
#include <runtime/schema/program_reader.h>

#include <cstdint>

#if MCUGEN_CHECK_OUTPUTS

namespace mcugen {

/// Finds the kernel calls that write to what they must not: README.md, "Hostile files".
class WriteCheck final {
 public:
  /// @param[in] marks A byte per value, of any contents.
  WriteCheck(const executorch_flatbuffer::ExecutionPlan* plan,
             const executorch::runtime::EValue* values, uint32_t n_values, uint8_t* marks)
      : plan_(plan), values_(values), n_values_(n_values), marks_(marks) {}

  /// Marks every value, lists with the marks of their items. The values and the inputs' indices
  /// have been checked; views and the targets of moves are here.
  executorch::runtime::Error mark_values();

  /// @returns whether the value had memory when it was marked.
  bool has_memory(int32_t index) const { return (marks_[index] & kUnset) == 0; }

  /// Checks a call of the operator `name`, its overload included; its indices have been checked.
  executorch::runtime::Error check(const executorch_flatbuffer::KernelCall* call, const char* name);

 private:
  // Why a kernel must not write to a value.
  enum Mark : uint8_t {
    kConstant = 1,     // It may lie in flash.
    kCallerInput = 2,  // So may what the caller gave, where the plan has no memory for the input.
    kMoved = 4,        // A move may have put any of these there,
    kViewed = 8,       // and so may a view.
    kUnset = 16,       // Not why: it has no memory yet, for load_call().
  };

  executorch::runtime::Error check_index(int64_t index);
  executorch::runtime::Error mark_destinations(
      const flatbuffers::Vector<flatbuffers::Offset<executorch_flatbuffer::Instruction>, uint32_t>*
          instructions,
      bool views);
  const flatbuffers::Vector<int32_t, uint32_t>* items_of(uint32_t value) const;
  executorch::runtime::Error refuse(const executorch_flatbuffer::KernelCall* call, int32_t index,
                                    uint8_t marks);

  const executorch_flatbuffer::ExecutionPlan* plan_;
  const executorch::runtime::EValue* values_;
  uint32_t n_values_;
  uint8_t* marks_;
};

}  // namespace mcugen

#endif  // MCUGEN_CHECK_OUTPUTS
