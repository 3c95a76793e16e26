// SPDX-License-Identifier: BSD-3-Clause
// Fuzz target: arbitrary bytes on the wire, text and frames, through the real command server. The
// model is tests/firmware/fake_model.cpp. After the bytes the link must recover by itself: silence,
// a lone '%', and the next command and the next frame are answered as if nothing had been.
//
// 0xFD in the input is followed by what happens: 1, 600 ms of silence; 2, three bytes are lost in
// the receive buffer; anything else: 0xFD and that byte are sent.

#include <app/model.h>

#include <cstring>

#include "device_stubs.h"

namespace mcugen {

// fake_model.cpp is compiled under these names.
bool fake_model_execute(uint64_t* ticks);
bool fake_model_execute_steps(uint64_t* ticks, StepTicks* steps);

namespace {

constexpr uint8_t kEvent = 0xFD;
constexpr size_t kMostBytes = 1 << 14;
constexpr int kMostExecutions = 30;  // "infer 2000000000" is a wish like any other

int g_executions;

bool may_execute() {
  TensorBytes input;
  constexpr uint8_t kAbort = 0xE4;  // the stand-in panics when it is asked to
  return ++g_executions <= kMostExecutions && !(model_input(0, &input) && input.data[0] == kAbort);
}

}  // namespace

bool model_execute(uint64_t* ticks) { return may_execute() && fake_model_execute(ticks); }

bool model_execute_steps(uint64_t* ticks, StepTicks* steps) {
  return may_execute() && fake_model_execute_steps(ticks, steps);
}

namespace {

/// The stand-in's and the server's state as after boot, as far as bytes can bring it there.
void reset() {
  TensorBytes input;
  constexpr uint8_t kFail = 0xE0;  // fails, and forgets the last result
  uint64_t ticks;
  for (size_t i = 0; model_input(i, &input); ++i) {
    memset(input.data, 0, input.bytes);
  }
  model_input(0, &input);
  input.data[0] = kFail;
  fake_model_execute(&ticks);
  input.data[0] = 0;
  g_executions = 0;
  fuzz::lost = 0;
  fuzz::ticks = 0;
}

}  // namespace
}  // namespace mcugen

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace mcugen;
  if (size > kMostBytes) {
    return 0;
  }
  reset();
  for (size_t i = 0; i < size; ++i) {
    if (data[i] == kEvent && i + 1 < size && data[i + 1] == 1) {
      fuzz::silence();
      ++i;
    } else if (data[i] == kEvent && i + 1 < size && data[i + 1] == 2) {
      fuzz::lost += 3;
      ++i;
    } else {
      fuzz::feed(data[i]);
    }
    if (fuzz::output.size() > 1 << 16) {
      fuzz::output.clear();
    }
  }
  fuzz::expect_recovery();
  fuzz::feed("db load 1%");  // forgets how many bytes an earlier one announced
  return 0;
}
