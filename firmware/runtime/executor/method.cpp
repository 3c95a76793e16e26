// SPDX-License-Identifier: BSD-3-Clause
#include <executorch/runtime/core/event_tracer_hooks.h>
#include <executorch/runtime/core/exec_aten/util/tensor_util.h>
#include <executorch/runtime/executor/method.h>
#include <executorch/runtime/executor/platform_memory_allocator.h>
#include <executorch/runtime/executor/program.h>
#include <executorch/runtime/kernel/kernel_runtime_context.h>
#include <runtime/executor/method_layout.h>
#include <runtime/executor/tensor_facts.h>
#include <runtime/executor/tensor_parser.h>
#include <runtime/platform/config.h>
#include <runtime/platform/fail.h>
#include <runtime/platform/names.h>

#include <cstring>
#include <new>

// Loading looks everything up once (values, kernels, arguments), into one block of the method
// allocator; execution then only follows pointers. Value types cannot change after loading (a move
// joins values of one type), so what is checked here about types holds in every kernel call.

namespace mcugen {
namespace {

// The operator's name without its overload, of a call whose operator has been found.
[[maybe_unused]] const char* operator_name(const executorch_flatbuffer::ExecutionPlan* plan,
                                           const executorch_flatbuffer::KernelCall* call) {
  return plan->operators()->Get(static_cast<uint32_t>(call->op_index()))->name()->c_str();
}

#if MCUGEN_RUNTIME_FULL || MCUGEN_CHECK_OUTPUTS
// Is the call one of `name`? Its operator may not have been looked for yet.
bool calls(const executorch_flatbuffer::ExecutionPlan* plan,
           const executorch_flatbuffer::KernelCall* call, const char* name) {
  const uint32_t index = static_cast<uint32_t>(call->op_index());
  if (index >= flatbuffers::length(plan->operators())) {
    return false;
  }
  const auto* op = plan->operators()->Get(index)->name();
  return op != nullptr && names_equal(op->c_str(), name);
}

// The operator that gives its last argument the memory of its first.
bool is_view(const executorch_flatbuffer::ExecutionPlan* plan,
             const executorch_flatbuffer::KernelCall* call) {
  return calls(plan, call, "executorch_prim::et_view");
}
#endif

#if MCUGEN_CHECK_OUTPUTS
// Is its first argument what the operator writes to? Its name then ends in "_", but not in "__".
bool writes_first(const executorch_flatbuffer::ExecutionPlan* plan,
                  const executorch_flatbuffer::KernelCall* call) {
  const char* name = operator_name(plan, call);
  const size_t length = strlen(name);
  return (length > 1 && name[length - 1] == '_' && name[length - 2] != '_') ||
         names_equal(name, "executorch_prim::et_copy_index");
}

struct OutCount {
  const char* name;  // Its overload included.
  uint8_t outs;
};

// Operators that do not have one `out`. A test compares with the schemas in firmware/ops.
constexpr OutCount kOutCounts[] = {
    {"aten::_local_scalar_dense", 0},
    {"aten::_native_batch_norm_legit.no_stats_out", 3},
    {"aten::_native_batch_norm_legit.out", 3},
    {"aten::_native_batch_norm_legit_no_training.out", 3},
    {"aten::max.dim_max", 2},
    {"aten::max_pool2d_with_indices.out", 2},
    {"aten::min.dim_min", 2},
    {"aten::native_dropout.out", 2},
    {"aten::native_group_norm.out", 3},
    {"aten::native_layer_norm.out", 3},
    {"aten::sym_numel", 0},
    {"aten::topk.values", 2},
    {"aten::var_mean.correction_out", 2},
};

uint32_t outs_of(const char* name) {
  for (const OutCount& entry : kOutCounts) {
    if (names_equal(entry.name, name)) {
      return entry.outs;
    }
  }
  return 1;
}
#endif

}  // namespace
}  // namespace mcugen

namespace executorch::runtime {
namespace {

using executorch::aten::Tensor;
using executorch_flatbuffer::KernelTypes;
using mcugen::operator_name;
using OptionalTensor = std::optional<Tensor>;

// The tag is known to be Tensor: toTensor() would check again and keep a message for it.
const Tensor& tensor_of(const EValue& value) { return value.payload.as_tensor; }

bool has_memory(const Tensor& tensor) {
  return tensor.const_data_ptr() != nullptr || tensor.numel() == 0;
}

// Does the tensor at `index`, or each tensor of the list there, have memory now?
bool has_memory([[maybe_unused]] const executorch_flatbuffer::ExecutionPlan* plan,
                const EValue* values, int32_t index) {
  const EValue& value = values[index];
  if (value.isTensor()) {
    return has_memory(tensor_of(value));
  }
#if MCUGEN_RUNTIME_FULL
  if (value.isTensorList()) {
    for (const Tensor& item : value.payload.copyable_union.as_tensor_list_ptr->get()) {
      if (!has_memory(item)) {
        return false;
      }
    }
  } else if (value.isListOptionalTensor()) {
    for (const OptionalTensor& item :
         value.payload.copyable_union.as_list_optional_tensor_ptr->get()) {
      if (item.has_value() && !has_memory(*item)) {
        return false;
      }
    }
  }
#else
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

// Longest operator name with its overload; the exporter's are below 60.
constexpr size_t kMaxOperatorName = 128;

class MethodLoader final {
 public:
  MethodLoader(const Program* program, MemoryManager* memory_manager,
               const executorch_flatbuffer::ExecutionPlan* plan, Span<const Kernel> kernels)
      : program_(program), memory_manager_(memory_manager), plan_(plan), kernels_(kernels) {}

  Error load(EValue** values, size_t* n_values, Chain** chains, size_t* n_chains) {
    const mcugen::MethodLayout layout(plan_);
    moves_ = layout.has_moves;
    const uint64_t bytes = layout.bytes();
    MCUGEN_CHECK(bytes <= UINT32_MAX, InvalidProgram, "method too big");
    void* block =
        memory_manager_->method_allocator()->allocate(static_cast<size_t>(bytes), alignof(EValue));
    if (block == nullptr) {
      return Error::MemoryAllocationFailed;  // Logged by the allocator, with both sizes.
    }
    layout.divide(block, pools_);
    values_ = pool<EValue>(mcugen::kValues);
    n_values_ = layout.count[mcugen::kValues];
    shape_words_ = pool<int32_t>(mcugen::kShapeWords);
    *values = values_;
    *chains = pool<Chain>(mcugen::kChains);
    const uint32_t chain_count = layout.count[mcugen::kChains];

    Error error = load_values();
    if (error == Error::Ok) {
      error = check_list(plan_->inputs());
    }
    if (error == Error::Ok) {
      error = check_list(plan_->outputs());
    }
#if MCUGEN_CHECK_OUTPUTS
    if (error == Error::Ok) {
      marks_ = pool<uint8_t>(mcugen::kMarks);
      error = mark_values();
    }
#endif
    for (uint32_t c = 0; error == Error::Ok && c < chain_count; ++c) {
      error = load_chain(plan_->chains()->Get(c), &(*chains)[c]);
    }
    if (error == Error::Ok) {
      *n_values = n_values_;
      *n_chains = chain_count;
    }
    return error;
  }

 private:
  template <typename T>
  T* pool(mcugen::Pool index) const {
    return reinterpret_cast<T*>(pools_[index]);
  }

  // The next `count` elements; MethodLayout has counted them.
  template <typename T>
  T* take(mcugen::Pool index, uint32_t count) {
    T* first = pool<T>(index);
    pools_[index] += count * sizeof(T);
    return first;
  }

  Error check_index(int64_t index) {
    MCUGEN_CHECK(index >= 0 && index < n_values_, InvalidProgram, "no value %d",
                 static_cast<int>(index));
    return Error::Ok;
  }

  Error check_list(const flatbuffers::Vector<int32_t, uint32_t>* indices) {
    for (uint32_t i = 0; i < flatbuffers::length(indices); ++i) {
      Error error = check_index(indices->Get(i));
      if (error != Error::Ok) {
        return error;
      }
    }
    return Error::Ok;
  }

  Error load_values() {
    for (uint32_t i = 0; i < n_values_; ++i) {
      Error error = load_value(plan_->values()->Get(i), &values_[i]);
      if (error != Error::Ok) {
        return error;
      }
    }
    return Error::Ok;
  }

  // `value` is raw memory: assigning would take care of what it held.
  Error load_value(const executorch_flatbuffer::EValue* serialized, EValue* value) {
    MCUGEN_CHECK(serialized->val() != nullptr, InvalidProgram, "value without type");
    switch (serialized->val_type()) {
      case KernelTypes::Int:
        new (value) EValue(serialized->val_as_Int()->int_val());
        return Error::Ok;
      case KernelTypes::Bool:
        new (value) EValue(serialized->val_as_Bool()->bool_val());
        return Error::Ok;
      case KernelTypes::Double:
        new (value) EValue(serialized->val_as_Double()->double_val());
        return Error::Ok;
      case KernelTypes::Tensor: {
        auto* tensor = take<executorch::aten::TensorImpl>(mcugen::kTensors, 1);
        Error error = deserialization::TensorParser::parse(
            program_, memory_manager_, plan_, serialized->val_as_Tensor(), tensor, &shape_words_);
        if (error == Error::Ok) {
          new (value) EValue(Tensor(tensor));
        }
        return error;
      }
      case KernelTypes::String: {
        const auto* text = serialized->val_as_String()->string_val();
        MCUGEN_CHECK(text != nullptr, InvalidProgram, "string without text");
        new (value) EValue(array(text->data(), text->size()));
        return Error::Ok;
      }
      case KernelTypes::DoubleList: {
        const auto* items = serialized->val_as_DoubleList()->items();
        new (value)
            EValue(array(items == nullptr ? nullptr : items->data(), flatbuffers::length(items)));
        return Error::Ok;
      }
      case KernelTypes::BoolList: {
        const auto* items = serialized->val_as_BoolList()->items();
        const uint32_t size = flatbuffers::length(items);
        for (uint32_t i = 0; i < size; ++i) {
          MCUGEN_CHECK(items->Get(i) <= 1, InvalidProgram, "bool list with other than bools");
        }
        // Checked just now to hold bools.
        new (value) EValue(
            array(items == nullptr ? nullptr : reinterpret_cast<const bool*>(items->data()), size));
        return Error::Ok;
      }
      case KernelTypes::IntList:
        return load_list<int64_t>(serialized->val_as_IntList()->items(), Tag::Int,
                                  mcugen::kIntLists, mcugen::kIntItems, value);
      case KernelTypes::TensorList:
        return load_list<Tensor>(serialized->val_as_TensorList()->items(), Tag::Tensor,
                                 mcugen::kTensorLists, mcugen::kTensorItems, value);
      case KernelTypes::OptionalTensorList:
        return load_list<OptionalTensor>(serialized->val_as_OptionalTensorList()->items(),
                                         Tag::None, mcugen::kOptionalLists, mcugen::kOptionalItems,
                                         value);
      default:
        new (value) EValue();
        return Error::Ok;
    }
  }

  // An ArrayRef of program data. The pool is of one type: ArrayRefs differ only in their pointer.
  template <typename T>
  executorch::aten::ArrayRef<T>* array(const T* data, size_t size) {
    static_assert(sizeof(executorch::aten::ArrayRef<T>) ==
                  sizeof(executorch::aten::ArrayRef<char>));
    return new (take<executorch::aten::ArrayRef<T>>(mcugen::kArrays, 1))
        executorch::aten::ArrayRef<T>(data, size);
  }

  // Items are indices of values of one type; Tag::None stands for "tensor or none".
  template <typename T, typename Index>
  Error load_list(const flatbuffers::Vector<Index, uint32_t>* items, Tag tag, mcugen::Pool lists,
                  mcugen::Pool unboxed, EValue* value) {
    const uint32_t size = flatbuffers::length(items);
    EValue** pointers = take<EValue*>(mcugen::kPointers, size);
    T* items_unboxed = take<T>(unboxed, size);
    // They point into the block; the constructor's checks and their messages fall away.
    if (pointers == nullptr || items_unboxed == nullptr || size > INT32_MAX) {
      ET_UNREACHABLE();
    }
    new (value) EValue(new (take<BoxedEvalueList<T>>(lists, 1))
                           BoxedEvalueList<T>(pointers, items_unboxed, static_cast<int>(size)));
    for (uint32_t i = 0; i < size; ++i) {
      Error error = load_item(items->Get(i), tag, &pointers[i]);
      if (error != Error::Ok) {
        return error;
      }
    }
    return Error::Ok;
  }

  Error load_item(int64_t index, Tag tag, EValue** pointer) {
    if (index == -1 && tag == Tag::None) {
      *pointer = nullptr;  // How the exporter writes an optional that is none.
      return Error::Ok;
    }
    Error error = check_index(index);
    if (error != Error::Ok) {
      return error;
    }
    const Tag item = mcugen::tag_of(plan_->values()->Get(static_cast<uint32_t>(index)));
    MCUGEN_CHECK(item == tag || (tag == Tag::None && item == Tag::Tensor), InvalidProgram,
                 "value %u is not what its list is of", static_cast<unsigned>(index));
    // What is none now stays none, whatever a kernel might write to the value.
    *pointer = item == Tag::None ? nullptr : &values_[index];
    return Error::Ok;
  }

  Error load_chain(const executorch_flatbuffer::Chain* serialized, Chain* chain) {
    const auto* instructions = serialized->instructions();
    chain->n_instructions = flatbuffers::length(instructions);
    chain->instructions = take<Chain::Instruction>(mcugen::kInstructions, chain->n_instructions);
    for (uint32_t i = 0; i < chain->n_instructions; ++i) {
      Error error =
          load_instruction(instructions->Get(i), chain->n_instructions, &chain->instructions[i]);
      if (error != Error::Ok) {
        return error;
      }
    }
    return Error::Ok;
  }

  Error load_instruction(const executorch_flatbuffer::Instruction* serialized,
                         uint32_t n_instructions, Chain::Instruction* instruction) {
    const auto* call = serialized->instr_args_as_KernelCall();
    instruction->args =
        take<EValue*>(mcugen::kPointers, call != nullptr ? flatbuffers::length(call->args()) : 2);
    if (call != nullptr) {
      return load_call(call, instruction);
    }
    if (const auto* move = serialized->instr_args_as_MoveCall()) {
      instruction->kind = Chain::Kind::kMove;
      return load_arguments(instruction, move->move_from(), move->move_to());
    }
    if (const auto* jump = serialized->instr_args_as_JumpFalseCall()) {
      // One behind the last instruction is the end of the chain.
      const int32_t destination = jump->destination_instruction();
      MCUGEN_CHECK(destination >= 0 && static_cast<uint32_t>(destination) <= n_instructions,
                   InvalidProgram, "jump to instruction %d", static_cast<int>(destination));
      instruction->kind = Chain::Kind::kJumpFalse;
      instruction->destination = static_cast<uint32_t>(destination);
      return load_arguments(instruction, jump->cond_value_index(), jump->cond_value_index());
    }
    if (const auto* free = serialized->instr_args_as_FreeCall()) {
      instruction->kind = Chain::Kind::kFree;
      return load_arguments(instruction, free->value_index(), free->value_index());
    }
    MCUGEN_CHECK(serialized->instr_args_as_DelegateCall() == nullptr, NotSupported,
                 "call of a delegate");
    return MCUGEN_FAIL(InvalidProgram, "instruction without arguments");
  }

  // The two arguments of an instruction that is not a kernel call, and their types.
  Error load_arguments(Chain::Instruction* instruction, int32_t first, int32_t second) {
    Error error = check_index(first);
    if (error == Error::Ok) {
      error = check_index(second);
    }
    if (error != Error::Ok) {
      return error;
    }
    instruction->n_args = 2;
    instruction->args[0] = &values_[first];
    instruction->args[1] = &values_[second];
    const Tag from = values_[first].tag;
    const Tag to = values_[second].tag;
    bool fits = from == to;
#if !MCUGEN_RUNTIME_FULL
    fits = fits && from != Tag::ListTensor && from != Tag::ListOptionalTensor;
#endif
    if (instruction->kind == Chain::Kind::kFree) {
      fits = from == Tag::Tensor;
    } else if (instruction->kind == Chain::Kind::kJumpFalse && from == Tag::Tensor) {
      fits = tensor_of(values_[first]).scalar_type() == executorch::aten::ScalarType::Bool;
    } else if (instruction->kind == Chain::Kind::kJumpFalse) {
      fits = from == Tag::Bool;
    }
    MCUGEN_CHECK(fits, InvalidProgram, "move, jump or free of value %d: wrong type",
                 static_cast<int>(first));
    return Error::Ok;
  }

  Error load_call(const executorch_flatbuffer::KernelCall* call, Chain::Instruction* instruction) {
    const auto* indices = call->args();
    const uint32_t n_args = flatbuffers::length(indices);
    MCUGEN_CHECK(n_args <= UINT16_MAX, InvalidProgram, "too many arguments");
    Error error = check_list(indices);
    if (error != Error::Ok) {
      return error;
    }
    instruction->kind = moves_ ? Chain::Kind::kCheckedKernel : Chain::Kind::kKernel;
    instruction->n_args = static_cast<uint16_t>(n_args);
    for (uint32_t i = 0; i < n_args; ++i) {
      const int32_t index = indices->Get(i);
      instruction->args[i] = &values_[index];
      // Inputs and outputs that the plan leaves to the caller have no memory yet.
      if (!has_memory(index)) {
        instruction->kind = Chain::Kind::kCheckedKernel;
      }
    }
    return find_kernel(call, instruction);
  }

#if !MCUGEN_CHECK_OUTPUTS
  bool has_memory(int32_t index) const { return runtime::has_memory(plan_, values_, index); }
#else
  // As marked, or many calls with one long list would take for ever.
  bool has_memory(int32_t index) const { return (marks_[index] & kUnset) == 0; }

  // Why a kernel must not write to a value.
  enum Mark : uint8_t {
    kConstant = 1,     // It may lie in flash.
    kCallerInput = 2,  // So may what the caller gave, where the plan has no memory for the input.
    kMoved = 4,        // A move may have put any of these there,
    kViewed = 8,       // and so may a view.
    kUnset = 16,       // Not why: it has no memory yet, for load_call().
  };

  // Marks every value, lists with the marks of their items.
  Error mark_values() {
    for (uint32_t i = 0; i < n_values_; ++i) {
      const auto* tensor = plan_->values()->Get(i)->val_as_Tensor();
      marks_[i] = tensor != nullptr && tensor->allocation_info() == nullptr &&
                          tensor->data_buffer_idx() != 0
                      ? kConstant
                      : 0;
      marks_[i] |= tensor != nullptr && !runtime::has_memory(tensor_of(values_[i])) ? kUnset : 0;
    }
    for (uint32_t i = 0; i < flatbuffers::length(plan_->inputs()); ++i) {
      const uint32_t index = static_cast<uint32_t>(plan_->inputs()->Get(i));
      const auto* tensor = plan_->values()->Get(index)->val_as_Tensor();
      if (tensor != nullptr && tensor->allocation_info() == nullptr) {
        marks_[index] |= kCallerInput;
      }
    }
    // Moves first: what is both moved to and viewed into is refused, as the view would change the
    // tensor that was moved, under another index.
    for (const bool views : {false, true}) {
      for (uint32_t c = 0; c < flatbuffers::length(plan_->chains()); ++c) {
        Error error = mark_destinations(plan_->chains()->Get(c)->instructions(), views);
        if (error != Error::Ok) {
          return error;
        }
      }
    }
    for (uint32_t i = 0; i < n_values_; ++i) {
      const auto* items = items_of(i);
      for (uint32_t j = 0; j < flatbuffers::length(items); ++j) {
        marks_[i] |= items->Get(j) < 0 ? 0 : marks_[items->Get(j)];
      }
    }
    // set_input() copies into planned inputs.
    for (uint32_t i = 0; i < flatbuffers::length(plan_->inputs()); ++i) {
      MCUGEN_CHECK((marks_[plan_->inputs()->Get(i)] & (kMoved | kViewed)) == 0, InvalidProgram,
                   "input %u is the target of a move or view", static_cast<unsigned>(i));
    }
    return Error::Ok;
  }

  static bool holds_tensors(const EValue& value) {
    return value.isTensor() || value.isTensorList() || value.isListOptionalTensor();
  }

  // The items of a list of tensors, in the file. Loading has checked them, -1 is none.
  const flatbuffers::Vector<int32_t, uint32_t>* items_of(uint32_t value) const {
    const executorch_flatbuffer::EValue* serialized = plan_->values()->Get(value);
    if (const auto* list = serialized->val_as_TensorList()) {
      return list->items();
    }
    const auto* optionals = serialized->val_as_OptionalTensorList();
    return optionals == nullptr ? nullptr : optionals->items();
  }

  Error mark_destinations(
      const flatbuffers::Vector<flatbuffers::Offset<executorch_flatbuffer::Instruction>, uint32_t>*
          instructions,
      bool views) {
    for (uint32_t i = 0; i < flatbuffers::length(instructions); ++i) {
      const auto* move = instructions->Get(i)->instr_args_as_MoveCall();
      const auto* call = instructions->Get(i)->instr_args_as_KernelCall();
      Error error = Error::Ok;
      if (move != nullptr && !views) {
        error = check_index(move->move_to());
        // Numbers have no memory that a move could give to others.
        if (error == Error::Ok && holds_tensors(values_[move->move_to()])) {
          marks_[move->move_to()] |= kMoved;
        }
      } else if (call != nullptr && views && flatbuffers::length(call->args()) != 0 &&
                 mcugen::is_view(plan_, call)) {
        const int32_t index = call->args()->Get(call->args()->size() - 1);
        error = check_index(index);
        if (error == Error::Ok) {
          error = refuse(call, index, kConstant | kCallerInput | kMoved);
          marks_[index] |= kViewed;
        }
      }
      if (error != Error::Ok) {
        return error;
      }
    }
    return Error::Ok;
  }

  // The runtime knows no schemas, but: operators return what they write, as the last argument of a
  // call; the argument before is the last of the schema, where `out` stands, which may be a list;
  // several outs stand before the list of them; an operator that ends in "_" writes to its first.
  // What an operator writes to all the same, as few do, kOutCounts knows.
  Error check_written(const executorch_flatbuffer::KernelCall* call, const char* name) {
    const auto* indices = call->args();
    const uint32_t count = flatbuffers::length(indices);
    if (count == 0 || mcugen::is_view(plan_, call)) {
      return Error::Ok;  // mark_destinations() has checked the view.
    }
    const uint32_t returned = static_cast<uint32_t>(indices->Get(count - 1));
    const bool first = mcugen::writes_first(plan_, call);
    uint32_t outs = first ? 0 : mcugen::outs_of(name);
    if (count > 1 && values_[indices->Get(count - 2)].isTensor()) {
      const uint32_t items = flatbuffers::length(items_of(returned));
      outs = items > outs ? items : outs;
    }
    Error error = Error::Ok;
    for (uint32_t i = 0; error == Error::Ok && i < count; ++i) {
      if (i + 1 == count || i + 1 + outs >= count || (first && i == 0)) {
        error = refuse(call, indices->Get(i), kConstant | kCallerInput | kMoved | kViewed);
      }
    }
    return error;
  }

  // Fails if the value has one of these marks.
  Error refuse([[maybe_unused]] const executorch_flatbuffer::KernelCall* call, int32_t index,
               uint8_t marks) {
    const uint8_t mark = marks_[index] & marks;
    MCUGEN_CHECK(mark == 0, InvalidProgram, "%s writes to value %d: %s",
                 mcugen::operator_name(plan_, call), static_cast<int>(index),
                 mark & kConstant      ? "constant"
                 : mark & kCallerInput ? "input without planned memory"
                                       : "target of a move or view");
    return Error::Ok;
  }
#endif  // MCUGEN_CHECK_OUTPUTS

  Error find_kernel(const executorch_flatbuffer::KernelCall* call,
                    Chain::Instruction* instruction) {
    const int32_t op_index = call->op_index();
    const auto* operators = plan_->operators();
    MCUGEN_CHECK(op_index >= 0 && static_cast<uint32_t>(op_index) < flatbuffers::length(operators),
                 InvalidProgram, "no operator %d", static_cast<int>(op_index));
    const auto* op = operators->Get(static_cast<uint32_t>(op_index));
    const uint32_t name_length = flatbuffers::length(op->name());
    const uint32_t overload_length = flatbuffers::length(op->overload());
    char name[kMaxOperatorName];
    MCUGEN_CHECK(name_length != 0 && name_length < kMaxOperatorName &&
                     overload_length < kMaxOperatorName - 1 - name_length,
                 InvalidProgram, "name of operator %d", static_cast<int>(op_index));
    memcpy(name, op->name()->c_str(), name_length + 1);
    if (overload_length != 0) {
      name[name_length] = '.';
      memcpy(name + name_length + 1, op->overload()->c_str(), overload_length + 1);
    }

#if MCUGEN_KERNEL_KEYS
    // Types and dim orders of the tensors, for kernels that are specialized to them. A kernel key
    // describes at most 16 tensors; a call with more takes the general kernel.
    TensorMeta meta[16];
    size_t n_meta = 0;
    for (uint32_t i = 0; i < instruction->n_args; ++i) {
      if (!instruction->args[i]->isTensor()) {
        continue;
      }
      if (n_meta == sizeof(meta) / sizeof(meta[0])) {
        n_meta = 0;
        break;
      }
      const Tensor& tensor = tensor_of(*instruction->args[i]);
      meta[n_meta++] = TensorMeta(
          tensor.scalar_type(),
          {const_cast<uint8_t*>(tensor.dim_order().data()), static_cast<size_t>(tensor.dim())});
    }
    const Span<const TensorMeta> metas(meta, n_meta);
#else
    const Span<const TensorMeta> metas;
#endif
    Result<OpFunction> kernel = kernels_.empty()
                                    ? get_op_function_from_registry(name, metas)
                                    : get_op_function_from_registry(name, metas, kernels_);
    if (!kernel.ok()) {
      return kernel.error();
    }
    instruction->kernel = *kernel;
#if MCUGEN_CHECK_OUTPUTS
    return check_written(call, name);
#else
    return Error::Ok;
#endif
  }

  const Program* program_;
  MemoryManager* memory_manager_;
  const executorch_flatbuffer::ExecutionPlan* plan_;
  Span<const Kernel> kernels_;
  uint8_t* pools_[mcugen::kNumPools] = {};  // Next free element of each.
  EValue* values_ = nullptr;
  int32_t* shape_words_ = nullptr;
  uint8_t* marks_ = nullptr;
  uint32_t n_values_ = 0;
  bool moves_ = false;  // The method has moves: any tensor may become any other.
};

}  // namespace

Result<Method> Method::load(executorch_flatbuffer::ExecutionPlan* s_plan, const Program* program,
                            MemoryManager* memory_manager, EventTracer* event_tracer,
                            const NamedDataMap* named_data_map,
                            const LoadBackendOptionsMap* backend_options,
                            Span<const Kernel> kernel_registry) {
  MCUGEN_CHECK(memory_manager != nullptr && memory_manager->method_allocator() != nullptr,
               InvalidArgument, "no method allocator");
  MemoryAllocator* temp_allocator = memory_manager->temp_allocator();
#if MCUGEN_PAL_TEMP_ALLOCATOR
  if (temp_allocator == nullptr) {
    auto* fallback =
        memory_manager->method_allocator()->allocateInstance<internal::PlatformMemoryAllocator>();
    if (fallback == nullptr) {
      return Error::MemoryAllocationFailed;
    }
    temp_allocator = new (fallback) internal::PlatformMemoryAllocator();
  }
#endif
  Method method(program, memory_manager, event_tracer, temp_allocator, kernel_registry);
  Error error = method.init(s_plan, named_data_map, backend_options);
  if (error != Error::Ok) {
    return error;
  }
  return method;
}

Error Method::init(executorch_flatbuffer::ExecutionPlan* s_plan, const NamedDataMap*,
                   const LoadBackendOptionsMap*) {
  internal::EventTracerProfileMethodScope scope(event_tracer_, "Method::init");
  MCUGEN_CHECK(init_state_ == InitializationState::Uninitialized, InvalidState,
               "method is initialized");
  init_state_ = InitializationState::InitializationFailed;
  serialization_plan_ = s_plan;
  const auto* delegates = s_plan->delegates();
  if (flatbuffers::length(delegates) != 0) {
    [[maybe_unused]] const auto* id = delegates->Get(0)->id();
    return MCUGEN_FAIL(NotSupported, "method needs backend %s: delegates are not supported",
                       id == nullptr ? "?" : id->c_str());
  }
  MethodLoader loader(program_, memory_manager_, s_plan, kernel_registry_);
  Error error = loader.load(&values_, &n_value_, &chains_, &n_chains_);
  if (error == Error::Ok) {
    init_state_ = InitializationState::Initialized;
  }
  return error;
}

// Everything the method made is in memory that is not its own, and of types that need no
// destruction in this build (Tensor is a pointer).
Method::~Method() {
  static_assert(std::is_trivially_destructible<Tensor>::value);
  static_assert(std::is_trivially_destructible<executorch::aten::TensorImpl>::value);
}

namespace {

// What set_input() does with a tensor, or with each tensor of a list.
Error set_tensor(const Tensor& to, const Tensor& from, const executorch_flatbuffer::Tensor* plan,
                 size_t input_idx) {
  MCUGEN_CHECK(to.scalar_type() == from.scalar_type(), InvalidArgument,
               "input %zu is of scalar type %d", input_idx, static_cast<int>(to.scalar_type()));
  Error error = resize_tensor(to, from.sizes());
  if (error != Error::Ok) {
    return error;  // Logged, with the sizes.
  }
  // There is one dim order of rank 0 or 1; a caller may not have given it.
  MCUGEN_CHECK(from.dim() < 2 || from.dim_order() == to.dim_order(), InvalidArgument,
               "input %zu is of another dim order", input_idx);
  return plan->allocation_info() != nullptr ? internal::copy_tensor_data(to, from)
                                            : internal::share_tensor_data(to, from);
}

#if MCUGEN_RUNTIME_FULL
Error set_list(const EValue& to, const EValue& from,
               const executorch_flatbuffer::ExecutionPlan* plan, size_t index, size_t input_idx) {
  const auto items = to.payload.copyable_union.as_tensor_list_ptr->get();
  const auto* indices =
      plan->values()->Get(static_cast<uint32_t>(index))->val_as_TensorList()->items();
  Result<executorch::aten::ArrayRef<Tensor>> source = from.tryToTensorList();
  MCUGEN_CHECK(
      source.ok() && source->size() == items.size() && items.size() == flatbuffers::length(indices),
      InvalidArgument, "input %zu is a list of %zu tensors", input_idx, items.size());
  for (uint32_t i = 0; i < items.size(); ++i) {
    const auto* item = plan->values()->Get(static_cast<uint32_t>(indices->Get(i)));
    Error error = set_tensor(items[i], (*source)[i], item->val_as_Tensor(), input_idx);
    if (error != Error::Ok) {
      return error;
    }
  }
  return Error::Ok;
}

template <typename T>
bool same_list(Result<executorch::aten::ArrayRef<T>> a, Result<executorch::aten::ArrayRef<T>> b) {
  // equals() would compare doubles by value, and NaN with itself as different.
  return a.ok() && b.ok() && a->size() == b->size() &&
         (a->empty() || memcmp(a->data(), b->data(), a->size() * sizeof(T)) == 0);
}
#endif

}  // namespace

Error Method::set_input(const EValue& input_evalue, size_t input_idx) {
  MCUGEN_CHECK(initialized(), InvalidState, "method is not initialized");
  MCUGEN_CHECK(input_idx < inputs_size(), InvalidArgument, "no input %zu", input_idx);
  const size_t index = get_input_index(input_idx);
  EValue& input = mutable_value(index);
  MCUGEN_CHECK(input.tag == input_evalue.tag, InvalidArgument, "input %zu is of another type",
               input_idx);
  bool same;
  switch (input.tag) {
    case Tag::Tensor:
      return set_tensor(
          tensor_of(input), tensor_of(input_evalue),
          serialization_plan_->values()->Get(static_cast<uint32_t>(index))->val_as_Tensor(),
          input_idx);
    // Other inputs were folded into the program when it was traced: only their value will do.
    case Tag::Int:
    case Tag::Double:  // Bit by bit: 8 bytes, like the int.
      same = input.payload.copyable_union.as_int == input_evalue.payload.copyable_union.as_int;
      break;
    case Tag::Bool:
      same = input.payload.copyable_union.as_bool == input_evalue.payload.copyable_union.as_bool;
      break;
    case Tag::String:
      same = input.payload.copyable_union.as_string_ptr->equals(
          *input_evalue.payload.copyable_union.as_string_ptr);
      break;
    case Tag::None:
      same = true;
      break;
#if MCUGEN_RUNTIME_FULL
    case Tag::ListInt:
      same = same_list(input.tryToIntList(), input_evalue.tryToIntList());
      break;
    case Tag::ListDouble:
      same = same_list(input.tryToDoubleList(), input_evalue.tryToDoubleList());
      break;
    case Tag::ListBool:
      same = same_list(input.tryToBoolList(), input_evalue.tryToBoolList());
      break;
    case Tag::ListTensor:
      return set_list(input, input_evalue, serialization_plan_, index, input_idx);
#endif
    default:
      return MCUGEN_FAIL(NotSupported, "input %zu is a list", input_idx);
  }
  MCUGEN_CHECK(same, InvalidArgument, "input %zu is not the value that was traced", input_idx);
  return Error::Ok;
}

Error Method::set_inputs(const executorch::aten::ArrayRef<EValue>& input_evalues) {
  MCUGEN_CHECK(initialized(), InvalidState, "method is not initialized");
  MCUGEN_CHECK(input_evalues.size() == inputs_size(), InvalidArgument, "%zu inputs, not %zu",
               inputs_size(), input_evalues.size());
  for (size_t i = 0; i < input_evalues.size(); ++i) {
    Error error = set_input(input_evalues[i], i);
    if (error != Error::Ok) {
      return error;
    }
  }
  return Error::Ok;
}

Error Method::set_output_data_ptr(void* buffer, size_t size, size_t output_idx) {
  MCUGEN_CHECK(initialized(), InvalidState, "method is not initialized");
  MCUGEN_CHECK(output_idx < outputs_size(), InvalidArgument, "no output %zu", output_idx);
  const size_t index = get_output_index(output_idx);
  EValue& output = mutable_value(index);
  MCUGEN_CHECK(output.isTensor(), InvalidArgument, "output %zu is not a tensor", output_idx);
  const auto* tensor =
      serialization_plan_->values()->Get(static_cast<uint32_t>(index))->val_as_Tensor();
  MCUGEN_CHECK(tensor->allocation_info() == nullptr && tensor->data_buffer_idx() == 0, InvalidState,
               "output %zu has its memory from the plan", output_idx);
  return internal::set_tensor_data(tensor_of(output), buffer, size);
}

namespace {

Error copy_values(const EValue* values, const flatbuffers::Vector<int32_t, uint32_t>* indices,
                  EValue* out, size_t length) {
  const size_t count = flatbuffers::length(indices);
  MCUGEN_CHECK(length >= count, InvalidArgument, "room for %zu values of %zu", length, count);
  for (size_t i = 0; i < length; ++i) {
    out[i] = i < count ? values[indices->Get(static_cast<uint32_t>(i))] : EValue();
  }
  return Error::Ok;
}

}  // namespace

Error Method::get_outputs(EValue* output_evalues, size_t length) {
  MCUGEN_CHECK(initialized(), InvalidState, "method is not initialized");
  return copy_values(values_, serialization_plan_->outputs(), output_evalues, length);
}

Error Method::get_inputs(EValue* input_evalues, size_t length) {
  MCUGEN_CHECK(initialized(), InvalidState, "method is not initialized");
  return copy_values(values_, serialization_plan_->inputs(), input_evalues, length);
}

Result<Tensor> Method::get_attribute(std::string_view name) {
  MCUGEN_CHECK(initialized(), InvalidState, "method is not initialized");
  for (uint32_t i = 0; i < n_value_; ++i) {
    const auto* tensor = serialization_plan_->values()->Get(i)->val_as_Tensor();
    if (tensor != nullptr && mcugen::is_attribute(tensor) && name == mcugen::tensor_name(tensor)) {
      return tensor_of(values_[i]);
    }
  }
  return MCUGEN_FAIL(NotFound, "no attribute %.*s", static_cast<int>(name.size()), name.data());
}

namespace {

// The serialized form of a kernel call: names and indices are not kept in RAM.
const executorch_flatbuffer::KernelCall* find_call(const executorch_flatbuffer::ExecutionPlan* plan,
                                                   size_t chain_idx, size_t instr_idx) {
  const auto* instructions = plan->chains()->Get(static_cast<uint32_t>(chain_idx))->instructions();
  return instructions->Get(static_cast<uint32_t>(instr_idx))->instr_args_as_KernelCall();
}

Error check_memory(const executorch_flatbuffer::ExecutionPlan* plan, const EValue* values,
                   size_t chain_idx, size_t instr_idx) {
  const executorch_flatbuffer::KernelCall* call = find_call(plan, chain_idx, instr_idx);
  const auto* indices = call->args();
  uint32_t count = flatbuffers::length(indices);
#if MCUGEN_RUNTIME_FULL
  // What a view gives memory to has none yet.
  count -= count != 0 && mcugen::is_view(plan, call) ? 1 : 0;
#endif
  for (uint32_t i = 0; i < count; ++i) {
    MCUGEN_CHECK(has_memory(plan, values, indices->Get(i)), InvalidState,
                 "%s, instruction %zu: argument %u has no memory: not set?",
                 operator_name(plan, call), instr_idx, static_cast<unsigned>(i));
  }
  return Error::Ok;
}

// A tensor counts as false if any of its elements is.
Result<bool> is_false(const EValue& condition) {
  if (condition.isBool()) {
    return !condition.payload.copyable_union.as_bool;
  }
  const Tensor& tensor = tensor_of(condition);
  MCUGEN_CHECK(has_memory(tensor), InvalidState, "condition without memory");
  const uint8_t* data = tensor.const_data_ptr<uint8_t>();
  for (ssize_t i = 0; i < tensor.numel(); ++i) {
    if (data[i] == 0) {
      return true;
    }
  }
  return false;
}

}  // namespace

Error Method::execute_instruction() {
  const Chain::Instruction& instruction =
      chains_[step_state_.chain_idx].instructions[step_state_.instr_idx];
  size_t next = step_state_.instr_idx + 1;
  switch (instruction.kind) {
    case Chain::Kind::kCheckedKernel: {
      const Error error =
          check_memory(serialization_plan_, values_, step_state_.chain_idx, step_state_.instr_idx);
      if (error != Error::Ok) {
        return error;
      }
      ET_FALLTHROUGH;
    }
    case Chain::Kind::kKernel: {
      internal::EventTracerProfileInstructionScope instruction_scope(
          event_tracer_, static_cast<ChainID>(step_state_.chain_idx),
          static_cast<DebugHandle>(step_state_.instr_idx));
      internal::EventTracerProfileOpScope op_scope(event_tracer_, "OPERATOR_CALL");
      KernelRuntimeContext context(event_tracer_, temp_allocator_);
#if MCUGEN_RUNTIME_FULL
      EValue* const result =
          instruction.n_args == 0 ? nullptr : instruction.args[instruction.n_args - 1];
      const EValue before = result == nullptr ? EValue() : *result;
#endif
      instruction.kernel(context, InstructionArgs(instruction.args, instruction.n_args));
      if (internal::event_tracer_enabled()) {
        for (uint32_t i = 0; i < instruction.n_args; ++i) {
          internal::event_tracer_log_evalue(event_tracer_, *instruction.args[i]);
        }
      }
      if (temp_allocator_ != nullptr) {
        temp_allocator_->reset();
      }
#if MCUGEN_RUNTIME_FULL
      // A number for a bool, say: loading has checked types for all that follows.
      if (result != nullptr && result->tag != before.tag) {
        new (result) EValue(before);
        if (context.failure_state() == Error::Ok) {
          return MCUGEN_FAIL(InvalidProgram, "%s, instruction %zu: result is of another type",
                             operator_name(serialization_plan_,
                                           find_call(serialization_plan_, step_state_.chain_idx,
                                                     step_state_.instr_idx)),
                             step_state_.instr_idx);
        }
      }
#endif
      const Error error = context.failure_state();
      if (error != Error::Ok) {
        return MCUGEN_FAIL_WITH(
            error, "%s, instruction %zu: failed with 0x%x",
            operator_name(serialization_plan_, find_call(serialization_plan_, step_state_.chain_idx,
                                                         step_state_.instr_idx)),
            step_state_.instr_idx, static_cast<unsigned>(error));
      }
      break;
    }
    case Chain::Kind::kMove:
      // Neither side owns anything.
      new (instruction.args[1]) EValue(*instruction.args[0]);
      break;
    case Chain::Kind::kJumpFalse: {
      Result<bool> jump = is_false(*instruction.args[0]);
      if (!jump.ok()) {
        return jump.error();
      }
      if (*jump) {
        next = instruction.destination;
      }
      break;
    }
    case Chain::Kind::kFree:
      break;
  }
  step_state_.instr_idx = next;
  return Error::Ok;
}

Error Method::execute() {
  internal::event_tracer_create_event_block(event_tracer_, "Execute");
  internal::EventTracerProfileMethodScope scope(event_tracer_, "Method::execute");
  MCUGEN_CHECK(initialized(), InvalidState, "method is not initialized");
  MCUGEN_CHECK(step_state_.chain_idx == 0 && step_state_.instr_idx == 0, InvalidState,
               "execute() after step(): call reset_execution()");
  Error error = Error::Ok;
  [[maybe_unused]] uint32_t left = MCUGEN_MAX_INSTRUCTIONS;
  for (; step_state_.chain_idx < n_chains_; ++step_state_.chain_idx) {
    step_state_.instr_idx = 0;
    const size_t n_instructions = chains_[step_state_.chain_idx].n_instructions;
    while (error == Error::Ok && step_state_.instr_idx < n_instructions) {
      error = execute_instruction();
#if MCUGEN_MAX_INSTRUCTIONS
      if (--left == 0 && error == Error::Ok) {
        error = MCUGEN_FAIL(InvalidProgram, "endless loop");
      }
#endif
    }
    if (error != Error::Ok) {
      break;
    }
  }
  step_state_ = {};
  if (error == Error::Ok) {
    log_outputs();
  }
  return error;
}

Error Method::step() {
  MCUGEN_CHECK(initialized(), InvalidState, "method is not initialized");
  // Chains may be empty.
  while (step_state_.chain_idx < n_chains_ &&
         step_state_.instr_idx == chains_[step_state_.chain_idx].n_instructions) {
    step_state_ = {step_state_.chain_idx + 1, 0};
  }
  if (step_state_.chain_idx == n_chains_) {
    return Error::EndOfMethod;
  }
  Error error = execute_instruction();
  if (error != Error::Ok) {
    step_state_ = {};
    return error;
  }
  if (step_state_.instr_idx == chains_[step_state_.chain_idx].n_instructions) {
    step_state_ = {step_state_.chain_idx + 1, 0};
    if (step_state_.chain_idx == n_chains_) {
      log_outputs();
    }
  }
  return Error::Ok;
}

// The old names are declared deprecated, and the new ones experimental, by the same attribute.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"
Error Method::experimental_step() { return step(); }

bool Method::in_progress() const {
  return initialized() && step_state_.chain_idx < n_chains_ &&
         (step_state_.chain_idx != 0 || step_state_.instr_idx != 0);
}

Error Method::reset_execution() {
  MCUGEN_CHECK(step_state_.chain_idx == n_chains_, InvalidState,
               "reset_execution() before the end");
  step_state_ = {};
  return Error::Ok;
}

Error Method::experimental_reset_execution() { return reset_execution(); }
#pragma GCC diagnostic pop

MethodMeta Method::method_meta() const {
  // Loaded by its name, so it has one, and the program still finds it.
  return program_->method_meta(serialization_plan_->name()->c_str()).get();
}

size_t Method::inputs_size() const { return flatbuffers::length(serialization_plan_->inputs()); }

size_t Method::outputs_size() const { return flatbuffers::length(serialization_plan_->outputs()); }

namespace {

// Loading has checked that the indices are those of values.
size_t index_at(const flatbuffers::Vector<int32_t, uint32_t>* indices, size_t i) {
  ET_CHECK(i < flatbuffers::length(indices));
  return static_cast<size_t>(indices->Get(static_cast<uint32_t>(i)));
}

}  // namespace

size_t Method::get_input_index(size_t i) const {
  return index_at(serialization_plan_->inputs(), i);
}

size_t Method::get_output_index(size_t i) const {
  return index_at(serialization_plan_->outputs(), i);
}

const EValue& Method::get_value(size_t i) const { return values_[i]; }

EValue& Method::mutable_value(size_t i) { return values_[i]; }

const EValue& Method::get_output(size_t i) const { return get_value(get_output_index(i)); }

const EValue& Method::get_input(size_t i) const { return get_value(get_input_index(i)); }

EValue& Method::mutable_input(size_t i) { return mutable_value(get_input_index(i)); }

EValue& Method::mutable_output(size_t i) { return mutable_value(get_output_index(i)); }

EventTracer* Method::get_event_tracer() { return event_tracer_; }

void Method::log_outputs() {
  if (internal::event_tracer_enabled()) {
    for (size_t i = 0; i < outputs_size(); ++i) {
      internal::event_tracer_log_evalue_output(event_tracer_, get_output(i));
    }
  }
}

}  // namespace executorch::runtime
