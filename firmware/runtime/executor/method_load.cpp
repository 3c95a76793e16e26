// SPDX-License-Identifier: BSD-3-Clause
#include <executorch/runtime/core/event_tracer_hooks.h>
#include <executorch/runtime/executor/method.h>
#include <executorch/runtime/executor/platform_memory_allocator.h>
#include <executorch/runtime/executor/program.h>
#include <runtime/executor/method_layout.h>
#include <runtime/executor/method_values.h>
#include <runtime/executor/tensor_facts.h>
#include <runtime/executor/tensor_parser.h>
#include <runtime/executor/write_check.h>
#include <runtime/platform/config.h>
#include <runtime/platform/fail.h>
#include <runtime/platform/names.h>

#include <cstring>
#include <new>

// Loading looks everything up once (values, kernels, arguments), into one block of the method
// allocator; execution then only follows pointers. Value types cannot change after loading (a move
// joins values of one type), so what is checked here about types holds in every kernel call.

namespace executorch::runtime {
namespace {

using executorch::aten::Tensor;
using executorch_flatbuffer::KernelTypes;
using OptionalTensor = std::optional<Tensor>;

// Longest operator name with its overload; the exporter's are below 60.
constexpr size_t kMaxOperatorName = 128;

class MethodLoader final {
 public:
  MethodLoader(const Program* program, MemoryManager* memory_manager,
               const executorch_flatbuffer::ExecutionPlan* plan, Span<const Kernel> kernels)
      : program_(program), memory_manager_(memory_manager), plan_(plan), kernels_(kernels) {}

  Error load(EValue** values, size_t* n_values, Chain** chains, size_t* n_chains) {
    const mcugen::MethodLayout layout(plan_);
    moves_ = MCUGEN_ANY_PROGRAM && layout.has_moves;
    const uint64_t bytes = layout.bytes();
    MCUGEN_CHECK_FILE(bytes <= UINT32_MAX, InvalidProgram, "method too big");
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
      write_check_ = mcugen::WriteCheck(plan_, values_, n_values_, pool<uint8_t>(mcugen::kMarks));
      error = write_check_.mark_values();
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
    MCUGEN_CHECK_FILE(index >= 0 && index < n_values_, InvalidProgram, "no value %d",
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
    MCUGEN_CHECK_FILE(serialized->val() != nullptr, InvalidProgram, "value without type");
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
#if MCUGEN_ANY_PROGRAM
      case KernelTypes::String: {
        const auto* text = serialized->val_as_String()->string_val();
        MCUGEN_CHECK_FILE(text != nullptr, InvalidProgram, "string without text");
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
          MCUGEN_CHECK_FILE(items->Get(i) <= 1, InvalidProgram, "bool list with other than bools");
        }
        // Checked just now to hold bools.
        new (value) EValue(
            array(items == nullptr ? nullptr : reinterpret_cast<const bool*>(items->data()), size));
        return Error::Ok;
      }
#endif
      case KernelTypes::IntList:
        return load_list<int64_t>(serialized->val_as_IntList()->items(), Tag::Int,
                                  mcugen::kIntLists, mcugen::kIntItems, value);
#if MCUGEN_ANY_PROGRAM
      case KernelTypes::TensorList:
        return load_list<Tensor>(serialized->val_as_TensorList()->items(), Tag::Tensor,
                                 mcugen::kTensorLists, mcugen::kTensorItems, value);
      case KernelTypes::OptionalTensorList:
        return load_list<OptionalTensor>(serialized->val_as_OptionalTensorList()->items(),
                                         Tag::None, mcugen::kOptionalLists, mcugen::kOptionalItems,
                                         value);
#endif
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
    MCUGEN_CHECK_FILE(item == tag || (tag == Tag::None && item == Tag::Tensor), InvalidProgram,
                      "value %u is not what its list is of", static_cast<unsigned>(index));
    // What is none now stays none, whatever a kernel might write to the value.
    *pointer = item == Tag::None ? nullptr : &values_[index];
    return Error::Ok;
  }

  Error load_chain(const executorch_flatbuffer::Chain* serialized, Chain* chain) {
    const auto* instructions = serialized->instructions();
    chain->serialized = instructions;
    const uint32_t size = chain->size();
    chain->instructions = take<Chain::Instruction>(mcugen::kInstructions, size);
    chain->args = pool<EValue*>(mcugen::kPointers);  // What lists have left, the same for all.
    for (uint32_t i = 0; i < size; ++i) {
      Error error = load_instruction(instructions->Get(i), *chain, &chain->instructions[i]);
      if (error != Error::Ok) {
        return error;
      }
    }
    return Error::Ok;
  }

  Error load_instruction(const executorch_flatbuffer::Instruction* serialized, const Chain& chain,
                         Chain::Instruction* instruction) {
    const auto* call = serialized->instr_args_as_KernelCall();
    if (!MCUGEN_ANY_PROGRAM || call != nullptr) {
      return load_call(call, chain, instruction);
    }
    if (const auto* move = serialized->instr_args_as_MoveCall()) {
      instruction->kind = Chain::Kind::kMove;
      return check_arguments(instruction->kind, move->move_from(), move->move_to());
    }
    if (const auto* jump = serialized->instr_args_as_JumpFalseCall()) {
      // One behind the last instruction is the end of the chain.
      const int32_t destination = jump->destination_instruction();
      MCUGEN_CHECK_FILE(destination >= 0 && static_cast<uint32_t>(destination) <= chain.size(),
                        InvalidProgram, "jump to instruction %d", static_cast<int>(destination));
      instruction->kind = Chain::Kind::kJumpFalse;
      instruction->destination = static_cast<uint32_t>(destination);
      return check_arguments(instruction->kind, jump->cond_value_index(), jump->cond_value_index());
    }
    MCUGEN_CHECK_FILE(serialized->instr_args_as_DelegateCall() == nullptr, NotSupported,
                      "call of a delegate");
    const auto* free = serialized->instr_args_as_FreeCall();
    MCUGEN_CHECK_FILE(free != nullptr, InvalidProgram, "instruction without arguments");
    instruction->kind = Chain::Kind::kFree;
    return check_arguments(instruction->kind, free->value_index(), free->value_index());
  }

  // The two arguments of an instruction that is not a kernel call: that they exist, and their
  // types.
  Error check_arguments(Chain::Kind kind, int32_t first, int32_t second) {
    Error error = check_index(first);
    if (error == Error::Ok) {
      error = check_index(second);
    }
    if (error != Error::Ok) {
      return error;
    }
    const Tag from = values_[first].tag;
    const Tag to = values_[second].tag;
    bool fits = from == to;
#if !MCUGEN_RUNTIME_FULL
    fits = fits && from != Tag::ListTensor && from != Tag::ListOptionalTensor;
#endif
    if (kind == Chain::Kind::kFree) {
      fits = from == Tag::Tensor;
    } else if (kind == Chain::Kind::kJumpFalse && from == Tag::Tensor) {
      fits = tensor_of(values_[first]).scalar_type() == executorch::aten::ScalarType::Bool;
    } else if (kind == Chain::Kind::kJumpFalse) {
      fits = from == Tag::Bool;
    }
    MCUGEN_CHECK_FILE(fits, InvalidProgram, "move, jump or free of value %d: wrong type",
                      static_cast<int>(first));
    return Error::Ok;
  }

  Error load_call(const executorch_flatbuffer::KernelCall* call, const Chain& chain,
                  Chain::Instruction* instruction) {
    const auto* indices = call->args();
    const uint32_t n_args = flatbuffers::length(indices);
    // Every kernel has at least what it writes to.
    MCUGEN_CHECK_FILE(n_args - 1 < UINT16_MAX, InvalidProgram, "number of arguments");
    Error error = check_list(indices);
    if (error != Error::Ok) {
      return error;
    }
    chain.set_indices(indices, instruction);
    instruction->kind = moves_ ? Chain::Kind::kCheckedKernel : Chain::Kind::kKernel;
    for (uint32_t i = 0; i < n_args; ++i) {
      // Inputs and outputs that the plan leaves to the caller have no memory yet.
      if (!has_memory(indices->Get(i))) {
        instruction->kind = Chain::Kind::kCheckedKernel;
      }
    }
    return find_kernel(call, instruction);
  }

#if MCUGEN_CHECK_OUTPUTS
  // As marked, or many calls with one long list would take for ever.
  bool has_memory(int32_t index) const { return write_check_.has_memory(index); }
#else
  bool has_memory(int32_t index) const { return runtime::has_memory(plan_, values_, index); }
#endif

  Error find_kernel(const executorch_flatbuffer::KernelCall* call,
                    Chain::Instruction* instruction) {
    const int32_t op_index = call->op_index();
    const auto* operators = plan_->operators();
    MCUGEN_CHECK_FILE(
        op_index >= 0 && static_cast<uint32_t>(op_index) < flatbuffers::length(operators),
        InvalidProgram, "no operator %d", static_cast<int>(op_index));
    const auto* op = operators->Get(static_cast<uint32_t>(op_index));
    const uint32_t name_length = flatbuffers::length(op->name());
    const uint32_t overload_length = flatbuffers::length(op->overload());
    char name[kMaxOperatorName];
    MCUGEN_CHECK_FILE(name_length != 0 && name_length < kMaxOperatorName &&
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
    for (uint32_t i = 0; i < flatbuffers::length(call->args()); ++i) {
      const EValue& argument = values_[call->args()->Get(i)];
      if (!argument.isTensor()) {
        continue;
      }
      if (n_meta == sizeof(meta) / sizeof(meta[0])) {
        n_meta = 0;
        break;
      }
      const Tensor& tensor = tensor_of(argument);
      meta[n_meta++] = TensorMeta(
          tensor.scalar_type(),
          {const_cast<uint8_t*>(tensor.dim_order().data()), static_cast<size_t>(tensor.dim())});
    }
    const Span<const TensorMeta> metas(meta, n_meta);
#else
    const Span<const TensorMeta> metas;
#endif
    if (!listed_kernel(static_cast<uint32_t>(op_index), name, instruction)) {
      Result<OpFunction> kernel = kernels_.empty()
                                      ? get_op_function_from_registry(name, metas)
                                      : get_op_function_from_registry(name, metas, kernels_);
      if (!kernel.ok()) {
        return kernel.error();
      }
      instruction->kernel = *kernel;
    }
#if MCUGEN_CHECK_OUTPUTS
    return write_check_.check(call, name);
#else
    return Error::Ok;
#endif
  }

  // A generated table lists what its one program calls, in the order of the program's operators:
  // one comparison of names instead of one with each.
  bool listed_kernel([[maybe_unused]] uint32_t op_index, [[maybe_unused]] const char* name,
                     [[maybe_unused]] Chain::Instruction* instruction) const {
#if !MCUGEN_KERNEL_KEYS
    if (op_index < kernels_.size()) {
      const Kernel& kernel = kernels_[op_index];
      if (kernel.name_ != nullptr && kernel.kernel_key_.is_fallback() &&
          mcugen::names_equal(kernel.name_, name)) {
        instruction->kernel = kernel.op_;
        return true;
      }
    }
#endif
    return false;
  }

  const Program* program_;
  MemoryManager* memory_manager_;
  const executorch_flatbuffer::ExecutionPlan* plan_;
  Span<const Kernel> kernels_;
  uint8_t* pools_[mcugen::kNumPools] = {};  // Next free element of each.
  EValue* values_ = nullptr;
  int32_t* shape_words_ = nullptr;
#if MCUGEN_CHECK_OUTPUTS
  mcugen::WriteCheck write_check_ = {nullptr, nullptr, 0, nullptr};
#endif
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
  if (MCUGEN_CHECK_PROGRAM && flatbuffers::length(delegates) != 0) {
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

}  // namespace executorch::runtime
