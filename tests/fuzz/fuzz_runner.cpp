// SPDX-License-Identifier: BSD-3-Clause
// Fuzz target: an arbitrary file is given to the runner image's application, which lays it out in
// its arena, loads it and runs it, all through the frames of docs/protocol.md. Whatever came of
// that, a good model must load and run afterwards and give the same bytes as before.

#include <app/crc32.h>
#include <app/model.h>
#include <app/model_store.h>

#include <algorithm>
#include <cstring>

#include "good_model.h"
#include "runner_stubs.h"

namespace mcugen {

namespace {

using fuzz::answer;
using fuzz::framed;

constexpr size_t kMostFileBytes = 1 << 15;
constexpr size_t kMaxFrames = 8;  // inputs and outputs that are used

enum Frame : uint8_t {
  kWriteInput = 2,
  kExecute = 3,
  kReadOutput = 4,
  kWrite = 0x10,
  kLoad = 0x11
};

std::string le(uint32_t value, size_t bytes) {
  std::string text;
  for (size_t i = 0; i < bytes; ++i) {
    text += static_cast<char>(value >> (8 * i));
  }
  return text;
}

/// @returns what LOAD_MODEL is answered with.
std::string load(const uint8_t* data, size_t size) {
  // The first chunk unloads; the others are copied as WRITE_MODEL would, only faster.
  answer(framed(kWrite, 1, le(0, 4)));
  memcpy(fuzz::arena_memory + fuzz::kHeaderBytes, data, size);
  const uint32_t crc = crc32(data, size);
  return answer(framed(kLoad, 2, le(static_cast<uint32_t>(size), 4) + le(crc, 4)));
}

void use() {
  TensorBytes input;
  for (size_t i = 0; i < kMaxFrames && model_input(i, &input); ++i) {
    const size_t bytes = std::min<size_t>(input.bytes, 64);
    answer(framed(
        kWriteInput, 3,
        le(static_cast<uint32_t>(i), 2) + le(0, 4) + std::string(bytes, static_cast<char>(i + 1))));
  }
  answer(framed(kExecute, 4, ""));
  for (uint32_t i = 0; i < kMaxFrames; ++i) {
    TensorBytes output;
    if (!model_output(i, &output)) {
      break;
    }
    const uint32_t bytes = static_cast<uint32_t>(std::min<size_t>(output.bytes, 500));
    answer(framed(kReadOutput, 5, le(i, 2) + le(0, 4) + le(bytes, 2)));
  }
  answer("mcugen info%");
  answer("results%");
  answer("infer 1 0%");
}

/// @returns what the good model gives.
std::string run_good_model() {
  if (load(kGoodModel, sizeof(kGoodModel)) != framed(0x80 | kLoad, 2, std::string(1, '\0'))) {
    fuzz::fail("the good model does not load");
  }
  TensorBytes input;
  model_input(0, &input);
  std::fill_n(input.data, input.bytes, uint8_t{3});
  answer(framed(kExecute, 4, ""));
  TensorBytes output;
  if (!model_output(0, &output) || !model_has_result()) {
    fuzz::fail("the good model does not run");
  }
  return {reinterpret_cast<char*>(output.data), output.bytes};
}

}  // namespace
}  // namespace mcugen

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace mcugen;
  static const std::string good = [] {
    model_store_boot();
    return run_good_model();
  }();
  if (size > kMostFileBytes) {
    return 0;
  }
  load(data, size);
  use();
  fuzz::expect_recovery();
  if (run_good_model() != good) {
    fuzz::fail("the good model gives other bytes");
  }
  return 0;
}
