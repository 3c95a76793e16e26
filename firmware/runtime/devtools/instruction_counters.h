// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <executorch/runtime/core/event_tracer.h>
#include <executorch/runtime/core/span.h>
#include <executorch/runtime/platform/platform.h>

#include <cstddef>
#include <cstdint>

namespace mcugen {

/// Counts and times each instruction of a method, without ETDump. Needs a build with
/// ET_EVENT_TRACER_ENABLED; without it the runtime calls no tracer, and this stays at zero.
///
///     static InstructionCounters::Counter counters[kInstructions];
///     InstructionCounters tracer({counters, kInstructions});
///     auto method = program->load_method("forward", &memory, &tracer);
///
/// MethodMeta::num_instructions() tells how many there are. Instruction i of chain 0 is counter i:
/// the order of `mcugen inspect`; exported methods have one chain. Moves and jumps are not counted.
/// Times are ticks of et_pal_current_ticks(), the tracer's own 30 or so instructions included.
class InstructionCounters final : public executorch::runtime::EventTracer {
 public:
  struct Counter {
    uint32_t calls;
    uint64_t ticks;
  };

  explicit InstructionCounters(executorch::runtime::Span<Counter> counters) : counters_(counters) {}

  executorch::runtime::Span<Counter> counters() const { return counters_; }

  /// Whole executions; their ticks contain the operators'.
  const Counter& executions() const { return executions_; }

  /// Calls that no counter was left for.
  uint32_t dropped() const { return dropped_; }

  void reset() {
    for (Counter& counter : counters_) {
      counter = {0, 0};
    }
    executions_ = {0, 0};
    dropped_ = 0;
  }

  // What the runtime calls.

  void create_event_block(const char*) override {}

  executorch::runtime::EventTracerEntry start_profiling(
      const char* name, executorch::runtime::ChainID chain_id,
      executorch::runtime::DebugHandle debug_handle) override {
    executorch::runtime::EventTracerEntry entry = {};
    const bool given = chain_id != executorch::runtime::kUnsetChainId;
    entry.chain_id = given ? chain_id : chain_id_;
    entry.debug_handle = given ? debug_handle : debug_handle_;
    entry.event_id = is_execution(name) ? kExecution : kOther;
    // "OPERATOR_CALL" is around the kernel; kernels may have scopes of their own inside.
    if (entry.chain_id != executorch::runtime::kUnsetChainId && !inside_) {
      inside_ = true;
      entry.event_id = kCall;
    }
    entry.delegate_event_id_type = executorch::runtime::DelegateDebugIdType::kNone;
    entry.start_time = executorch::runtime::pal_current_ticks();
    return entry;
  }

  void end_profiling(executorch::runtime::EventTracerEntry entry) override {
    const uint64_t ticks = executorch::runtime::pal_current_ticks() - entry.start_time;
    if (entry.event_id == kExecution) {
      ++executions_.calls;
      executions_.ticks += ticks;
    } else if (entry.event_id == kCall) {
      inside_ = false;
      if (entry.chain_id == 0 && entry.debug_handle < counters_.size()) {
        Counter& counter = counters_[entry.debug_handle];
        ++counter.calls;
        counter.ticks += ticks;
      } else {
        ++dropped_;
      }
    }
  }

  void track_allocation(executorch::runtime::AllocatorID, size_t) override {}
  executorch::runtime::AllocatorID track_allocator(const char*) override { return 0; }

  // Values are not kept: there is nowhere to put them.
  executorch::runtime::Result<bool> log_evalue(const executorch::runtime::EValue&,
                                               executorch::runtime::LoggedEValueType) override {
    return false;
  }

  // There are no delegates.
  executorch::runtime::EventTracerEntry start_profiling_delegate(
      const char*, executorch::runtime::DelegateDebugIntId) override {
    return {};
  }
  void end_profiling_delegate(executorch::runtime::EventTracerEntry, const void*, size_t) override {
  }
  void log_profiling_delegate(const char*, executorch::runtime::DelegateDebugIntId, et_timestamp_t,
                              et_timestamp_t, const void*, size_t) override {}
  executorch::runtime::Result<bool> log_intermediate_output_delegate(
      const char*, executorch::runtime::DelegateDebugIntId,
      const executorch::aten::Tensor&) override {
    return false;
  }
  executorch::runtime::Result<bool> log_intermediate_output_delegate(
      const char*, executorch::runtime::DelegateDebugIntId,
      const executorch::runtime::ArrayRef<executorch::aten::Tensor>) override {
    return false;
  }
  executorch::runtime::Result<bool> log_intermediate_output_delegate(
      const char*, executorch::runtime::DelegateDebugIntId, const int&) override {
    return false;
  }
  executorch::runtime::Result<bool> log_intermediate_output_delegate(
      const char*, executorch::runtime::DelegateDebugIntId, const bool&) override {
    return false;
  }
  executorch::runtime::Result<bool> log_intermediate_output_delegate(
      const char*, executorch::runtime::DelegateDebugIntId, const double&) override {
    return false;
  }
  void set_delegation_intermediate_output_filter(
      executorch::runtime::EventTracerFilterBase*) override {}

 private:
  enum Event : int64_t { kOther, kExecution, kCall };

  static bool is_execution(const char* name) {
    constexpr char kName[] = "Method::execute";
    for (size_t i = 0; i < sizeof(kName); ++i) {
      if (name[i] != kName[i]) {
        return false;
      }
    }
    return true;
  }

  executorch::runtime::Span<Counter> counters_;
  Counter executions_ = {0, 0};
  uint32_t dropped_ = 0;
  bool inside_ = false;
};

}  // namespace mcugen
