// SPDX-License-Identifier: BSD-3-Clause
#include <runtime/executor/method_layout.h>

namespace mcugen {

using executorch_flatbuffer::KernelTypes;
using flatbuffers::length;

MethodLayout::MethodLayout(const executorch_flatbuffer::ExecutionPlan* plan) {
  values = length(plan->values());
  for (uint32_t i = 0; i < values; ++i) {
    const executorch_flatbuffer::EValue* value = plan->values()->Get(i);
    const void* at = value->val();
    if (at == nullptr) {
      continue;  // Refused when the value is loaded.
    }
    switch (value->val_type()) {
      case KernelTypes::Tensor: {
        const auto* tensor = static_cast<const executorch_flatbuffer::Tensor*>(at);
        ++tensors;
        shape_words += mcugen::shape_words(
            length(tensor->sizes()),
            tensor->shape_dynamism() == executorch_flatbuffer::TensorShapeDynamism::STATIC);
        break;
      }
      case KernelTypes::IntList: {
        const uint32_t items =
            length(static_cast<const executorch_flatbuffer::IntList*>(at)->items());
        ++int_lists;
        int_items += items;
        pointers += items;
        break;
      }
      case KernelTypes::TensorList: {
        const uint32_t items =
            length(static_cast<const executorch_flatbuffer::TensorList*>(at)->items());
        ++tensor_lists;
        tensor_items += items;
        pointers += items;
        break;
      }
      case KernelTypes::OptionalTensorList: {
        const uint32_t items =
            length(static_cast<const executorch_flatbuffer::OptionalTensorList*>(at)->items());
        ++optional_lists;
        optional_items += items;
        pointers += items;
        break;
      }
      case KernelTypes::String:
      case KernelTypes::DoubleList:
      case KernelTypes::BoolList:
        ++arrays;
        break;
      default:
        break;
    }
  }
  chains = length(plan->chains());
  for (uint32_t c = 0; c < chains; ++c) {
    const auto* list = plan->chains()->Get(c)->instructions();
    instructions += length(list);
    for (uint32_t i = 0; i < length(list); ++i) {
      const executorch_flatbuffer::Instruction* instruction = list->Get(i);
      if (const auto* call = instruction->instr_args_as_KernelCall()) {
        pointers += length(call->args());
      } else {
        // A move has two arguments, jump and free one: two for each keeps the count simple.
        pointers += 2;
        moves += instruction->instr_args_as_MoveCall() != nullptr ? 1 : 0;
      }
    }
  }
}

namespace {

// Either adds up the arrays or, with a block to start from, places them.
class Arena {
 public:
  explicit Arena(void* block) : at_(static_cast<uint8_t*>(block)) {}

  template <typename T>
  void place(T** array, uint32_t count) {
    if (at_ != nullptr) {
      *array = reinterpret_cast<T*>(at_);
      at_ += count * sizeof(T);
    }
    bytes_ += static_cast<uint64_t>(count) * sizeof(T);
  }

  uint64_t bytes() const { return bytes_; }

 private:
  uint8_t* at_;
  uint64_t bytes_ = 0;
};

uint64_t place_all(const MethodLayout& layout, MethodPools* pools, void* block) {
  Arena arena(block);
  arena.place(&pools->values, layout.values);
  arena.place(&pools->int_items, layout.int_items);
  arena.place(&pools->tensors, layout.tensors);
  arena.place(&pools->int_lists, layout.int_lists);
  arena.place(&pools->tensor_lists, layout.tensor_lists);
  arena.place(&pools->optional_lists, layout.optional_lists);
  arena.place(&pools->arrays, layout.arrays);
  arena.place(&pools->optional_items, layout.optional_items);
  arena.place(&pools->tensor_items, layout.tensor_items);
  arena.place(&pools->chains, layout.chains);
  arena.place(&pools->instructions, layout.instructions);
  arena.place(&pools->pointers, layout.pointers);
  arena.place(&pools->shape_words, layout.shape_words);
  return arena.bytes();
}

}  // namespace

uint64_t MethodLayout::bytes() const {
  MethodPools unused;
  return place_all(*this, &unused, nullptr);
}

MethodPools MethodLayout::divide(void* block) const {
  MethodPools pools;
  place_all(*this, &pools, block);
  return pools;
}

}  // namespace mcugen
