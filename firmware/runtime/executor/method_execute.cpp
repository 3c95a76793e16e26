// SPDX-License-Identifier: BSD-3-Clause
#include <executorch/runtime/core/event_tracer_hooks.h>
#include <executorch/runtime/executor/method.h>
#include <executorch/runtime/kernel/kernel_runtime_context.h>
#include <runtime/executor/method_layout.h>
#include <runtime/executor/method_values.h>
#include <runtime/platform/config.h>
#include <runtime/platform/fail.h>

#include <new>

namespace executorch::runtime {

using executorch::aten::Tensor;
using mcugen::operator_name;

namespace {

Error check_memory(const executorch_flatbuffer::ExecutionPlan* plan, const EValue* values,
                   const Chain& chain, size_t instr_idx) {
  const auto* indices = chain.indices(chain.instructions[instr_idx]);
  const auto* call =
      chain.serialized->Get(static_cast<uint32_t>(instr_idx))->instr_args_as_KernelCall();
  uint32_t count = indices->size();
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
[[maybe_unused]] Result<bool> is_false(const EValue& condition) {
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
  const Chain& chain = chains_[step_state_.chain_idx];
  const Chain::Instruction& instruction = chain.instructions[step_state_.instr_idx];
  // What executing a kernel does without: looking it up takes some dozens of instructions.
  [[maybe_unused]] const auto serialized = [&chain, this] {
    return chain.serialized->Get(static_cast<uint32_t>(step_state_.instr_idx));
  };
  size_t next = step_state_.instr_idx + 1;
  switch (instruction.kind) {
    case Chain::Kind::kCheckedKernel: {
      const Error error = check_memory(serialization_plan_, values_, chain, step_state_.instr_idx);
      if (error != Error::Ok) {
        return error;
      }
      ET_FALLTHROUGH;
    }
    case Chain::Kind::kKernel: {
      const auto* indices = chain.indices(instruction);
      const uint32_t n_args = indices->size();
      for (uint32_t i = 0; i < n_args; ++i) {
        chain.args[i] = &values_[indices->Get(i)];
      }
      internal::EventTracerProfileInstructionScope instruction_scope(
          event_tracer_, static_cast<ChainID>(step_state_.chain_idx),
          static_cast<DebugHandle>(step_state_.instr_idx));
      internal::EventTracerProfileOpScope op_scope(event_tracer_, "OPERATOR_CALL");
      KernelRuntimeContext context(event_tracer_, temp_allocator_);
#if MCUGEN_RUNTIME_FULL
      EValue* const result = chain.args[n_args - 1];
      const EValue before = *result;
#endif
      instruction.kernel(context, InstructionArgs(chain.args, n_args));
      if (internal::event_tracer_enabled()) {
        for (uint32_t i = 0; i < n_args; ++i) {
          internal::event_tracer_log_evalue(event_tracer_, values_[indices->Get(i)]);
        }
      }
      if (temp_allocator_ != nullptr) {
        temp_allocator_->reset();
      }
#if MCUGEN_RUNTIME_FULL
      // A number for a bool, say: loading has checked types for all that follows.
      if (result->tag != before.tag) {
        new (result) EValue(before);
        if (context.failure_state() == Error::Ok) {
          return MCUGEN_FAIL(
              InvalidProgram, "%s, instruction %zu: result is of another type",
              operator_name(serialization_plan_, serialized()->instr_args_as_KernelCall()),
              step_state_.instr_idx);
        }
      }
#endif
      const Error error = context.failure_state();
      if (error != Error::Ok) {
        return MCUGEN_FAIL_WITH(
            error, "%s, instruction %zu: failed with 0x%x",
            operator_name(serialization_plan_, serialized()->instr_args_as_KernelCall()),
            step_state_.instr_idx, static_cast<unsigned>(error));
      }
      break;
    }
#if MCUGEN_ANY_PROGRAM
    case Chain::Kind::kMove: {
      const auto* move = serialized()->instr_args_as_MoveCall();
      // Neither side owns anything.
      new (&values_[move->move_to()]) EValue(values_[move->move_from()]);
      break;
    }
    case Chain::Kind::kJumpFalse: {
      Result<bool> jump =
          is_false(values_[serialized()->instr_args_as_JumpFalseCall()->cond_value_index()]);
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
#else
    default:
      break;
#endif
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
    const size_t n_instructions = chains_[step_state_.chain_idx].size();
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
         step_state_.instr_idx == chains_[step_state_.chain_idx].size()) {
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
  if (step_state_.instr_idx == chains_[step_state_.chain_idx].size()) {
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

void Method::log_outputs() {
  if (internal::event_tracer_enabled()) {
    for (size_t i = 0; i < outputs_size(); ++i) {
      internal::event_tracer_log_evalue_output(event_tracer_, get_output(i));
    }
  }
}

}  // namespace executorch::runtime
