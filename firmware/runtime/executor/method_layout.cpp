// SPDX-License-Identifier: BSD-3-Clause
#include <runtime/executor/method_layout.h>
#include <runtime/platform/config.h>

namespace mcugen {
namespace {

using executorch::aten::ArrayRef;
using executorch::aten::Tensor;
using executorch::runtime::BoxedEvalueList;
using executorch::runtime::Chain;
using executorch_flatbuffer::KernelTypes;
using flatbuffers::length;

constexpr uint8_t kElementBytes[kNumPools] = {
    sizeof(executorch::runtime::EValue),
    sizeof(int64_t),
    sizeof(executorch::aten::TensorImpl),
    sizeof(BoxedEvalueList<int64_t>),
    sizeof(BoxedEvalueList<Tensor>),
    sizeof(BoxedEvalueList<std::optional<Tensor>>),
    sizeof(ArrayRef<char>),
    sizeof(std::optional<Tensor>),
    sizeof(Tensor),
    sizeof(Chain),
    sizeof(Chain::Instruction),
    sizeof(void*),
    sizeof(int32_t),
    sizeof(uint8_t),
};

// Where a value of each type goes, and the items of a list.
struct Homes {
  uint8_t object;
  uint8_t items;
};

constexpr uint8_t kNowhere = kNumPools;

constexpr Homes kHomes[] = {
    {kNowhere, kNowhere},              // NONE
    {kNowhere, kNowhere},              // Null
    {kNowhere, kNowhere},              // Int
    {kNowhere, kNowhere},              // Bool
    {kNowhere, kNowhere},              // Double
    {kTensors, kNowhere},              // Tensor
    {kArrays, kNowhere},               // String
    {kIntLists, kIntItems},            // IntList
    {kArrays, kNowhere},               // DoubleList
    {kArrays, kNowhere},               // BoolList
    {kTensorLists, kTensorItems},      // TensorList
    {kOptionalLists, kOptionalItems},  // OptionalTensorList
};
static_assert(static_cast<size_t>(KernelTypes::OptionalTensorList) + 1 ==
              sizeof(kHomes) / sizeof(kHomes[0]));
static_assert(static_cast<size_t>(KernelTypes::Tensor) == 5);

}  // namespace

MethodLayout::MethodLayout(const executorch_flatbuffer::ExecutionPlan* plan)
    : count{}, has_moves(false) {
  count[kValues] = length(plan->values());
#if MCUGEN_CHECK_OUTPUTS
  count[kMarks] = count[kValues];
#endif
  for (uint32_t i = 0; i < count[kValues]; ++i) {
    const executorch_flatbuffer::EValue* value = plan->values()->Get(i);
    const void* at = value->val();
    if (at == nullptr) {
      continue;  // Refused when it is loaded. The type may be anything then.
    }
    const Homes homes = kHomes[static_cast<size_t>(value->val_type())];
    if (homes.object == kNowhere) {
      continue;
    }
    ++count[homes.object];
    if (homes.object == kTensors) {
      const auto* tensor = static_cast<const executorch_flatbuffer::Tensor*>(at);
      count[kShapeWords] += shape_words(
          length(tensor->sizes()),
          tensor->shape_dynamism() == executorch_flatbuffer::TensorShapeDynamism::STATIC);
    } else if (homes.items != kNowhere) {
      // The items are the first field of every list, and their number comes first in a vector.
      const uint32_t items =
          length(static_cast<const executorch_flatbuffer::TensorList*>(at)->items());
      count[homes.items] += items;
      count[kPointers] += items;
    }
  }
  count[kChains] = length(plan->chains());
  uint32_t most_args = 0;
  for (uint32_t c = 0; c < count[kChains]; ++c) {
    const auto* list = plan->chains()->Get(c)->instructions();
    count[kInstructions] += length(list);
    for (uint32_t i = 0; i < length(list); ++i) {
      const executorch_flatbuffer::Instruction* instruction = list->Get(i);
      if (const auto* call = instruction->instr_args_as_KernelCall()) {
        most_args = length(call->args()) > most_args ? length(call->args()) : most_args;
      }
      has_moves = has_moves || instruction->instr_args_as_MoveCall() != nullptr;
    }
  }
  count[kPointers] += most_args;
}

uint64_t MethodLayout::bytes() const {
  uint64_t sum = 0;
  for (size_t i = 0; i < kNumPools; ++i) {
    sum += static_cast<uint64_t>(count[i]) * kElementBytes[i];
  }
  return sum;
}

void MethodLayout::divide(void* block, uint8_t* pools[kNumPools]) const {
  uint8_t* at = static_cast<uint8_t*>(block);
  for (size_t i = 0; i < kNumPools; ++i) {
    pools[i] = at;
    at += static_cast<size_t>(count[i]) * kElementBytes[i];
  }
}

}  // namespace mcugen
