// SPDX-License-Identifier: BSD-3-Clause
//
// Stands in for app/model.cpp: input 0 is int8[600], input 1 float32[4]; output 0 is int8[10], the
// sums of input 0's bytes by index modulo 10; output 1 echoes input 1. The first byte of input 0
// can ask for trouble, to test what the firmware says about it.
#include <app/log.h>
#include <app/model.h>
#include <executorch/runtime/platform/platform.h>
#include <port/cycle_counter.h>

#include <cstring>

namespace mcugen {
namespace {

enum Trouble : uint8_t {
  kFail = 0xE0,
  kUndefinedInstruction = 0xE1,
  kUnmappedAddress = 0xE2,
  kStackOverflow = 0xE3,
  kAbort = 0xE4,
  kNotReady = 0xE5,
  kLongLoop = 0xE6,  // 10 million instructions
  kJumpToData = 0xE7,
};

alignas(16) uint8_t g_inputs[600 + 16];
int8_t g_sums[10];
float g_echo[4];
bool g_ready = true;
bool g_has_result;

#if defined(__arm__)
__attribute__((noinline)) int overflow_stack(int depth) {
  volatile uint8_t frame[64];
  frame[0] = static_cast<uint8_t>(depth);
  return depth == 0 ? 0 : overflow_stack(depth - 1) + frame[0];
}

void cause(uint8_t trouble) {
  switch (trouble) {
    case kUndefinedInstruction:
      __asm volatile("udf #0");
      break;
    case kUnmappedAddress: {
      // Nothing lies there on any of the machines, and QEMU says so.
      const volatile uint32_t* nowhere = reinterpret_cast<const volatile uint32_t*>(0x3F000000);
      static_cast<void>(*nowhere);
      break;
    }
    case kStackOverflow:
      overflow_stack(1 << 20);
      break;
    case kJumpToData: {
      void (*volatile target)() = reinterpret_cast<void (*)()>(0xA0000001);  // never executable
      target();
      break;
    }
    case kLongLoop: {
      // Three instructions a round: nop, subs, bne.
      uint32_t rounds = 10000000 / 3;
      __asm volatile(".syntax unified\n1: nop\n subs %0, %0, #1\n bne 1b" : "+l"(rounds)::"cc");
      break;
    }
    default:
      break;
  }
}
#else
void cause(uint8_t) {}
#endif

}  // namespace

void model_load() {}

void model_unload() {}

bool model_ready() { return g_ready; }

void model_describe_error(TextWriter& out) {
  out.text(g_ready ? "execute: 0x12 " : "load_method: 0x23 ");
  out.text(log_first_error());
}

bool model_input(size_t index, TensorBytes* tensor) {
  if (index > 1) {
    return false;
  }
  *tensor = index == 0 ? TensorBytes{g_inputs, 600, 1} : TensorBytes{g_inputs + 600, 16, 6};
  return true;
}

bool model_output(size_t index, TensorBytes* tensor) {
  if (index > 1) {
    return false;
  }
  *tensor = index == 0 ? TensorBytes{reinterpret_cast<uint8_t*>(g_sums), sizeof(g_sums), 1}
                       : TensorBytes{reinterpret_cast<uint8_t*>(g_echo), sizeof(g_echo), 6};
  return true;
}

bool model_has_result() { return g_has_result; }

bool model_execute(uint64_t* ticks) {
  log_reset_first_error();
  const uint8_t trouble = g_inputs[0];
  if (trouble == kFail || trouble == kNotReady) {
    const char message[] = "bad \"thing\"]\x01";
    et_pal_emit_log_message(0, kError, "fake.cpp", "f", 42, message, sizeof(message) - 1);
    g_ready = trouble == kFail;
    g_has_result = false;
    return false;
  }
  if (trouble == kAbort) {
    et_pal_abort();
  }
  cycle_counter_start();
  cause(trouble);
  uint8_t sums[10] = {};
  for (size_t i = 0; i < 600; ++i) {
    sums[i % 10] = static_cast<uint8_t>(sums[i % 10] + g_inputs[i]);
  }
  std::memcpy(g_sums, sums, sizeof(sums));
  std::memcpy(g_echo, g_inputs + 600, sizeof(g_echo));
  *ticks = cycle_counter_elapsed();
  g_has_result = true;
  return true;
}

// As if the model had 130 instructions, some more than a reply holds. Instruction i takes i + 1.
bool model_execute_steps(uint64_t* ticks, StepTicks* steps) {
  if (!model_execute(ticks)) {
    return false;
  }
  for (size_t i = steps->first; i < 130 && steps->count < steps->room; ++i, ++steps->count) {
    const uint8_t bytes[] = {static_cast<uint8_t>(i + 1), 0, 0, 0};
    std::memcpy(steps->ticks + sizeof(bytes) * steps->count, bytes, sizeof(bytes));
  }
  return true;
}

MemoryUse model_memory() { return {{1, 2}, {3, 4}, {5, 6}, {7, 8}}; }

}  // namespace mcugen
