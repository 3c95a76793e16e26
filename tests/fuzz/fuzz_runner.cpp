// SPDX-License-Identifier: BSD-3-Clause
// Fuzz target: an arbitrary file is given to the runner image's application, which lays it out in
// its arena, loads it and runs it, all through the frames of docs/protocol.md. The file's last
// bytes choose what is asked of the runner on the way. A model that loads must load again. Whatever
// came of that, a good model must load and run afterwards and give the same bytes as before.

#include <app/crc32.h>
#include <app/model.h>
#include <app/model_store.h>

#include <algorithm>
#include <cstring>
#include <iterator>
#include <string>

#include "good_model.h"
#include "runner_stubs.h"

namespace mcugen {

namespace {

using fuzz::answer;
using fuzz::framed;

constexpr size_t kMostFileBytes = 1 << 15;
constexpr size_t kMaxFrames = 8;  // inputs and outputs that are used
constexpr size_t kSteps = 4;      // of a session, a byte of the file each

enum Frame : uint8_t {
  kWriteInput = 2,
  kExecute = 3,
  kReadOutput = 4,
  kReadInput = 5,
  kWrite = 0x10,
  kLoad = 0x11,
  kReload = 0x12
};

std::string le(uint32_t value, size_t bytes) {
  std::string text;
  for (size_t i = 0; i < bytes; ++i) {
    text += static_cast<char>(value >> (8 * i));
  }
  return text;
}

std::string load_frame(const uint8_t* data, size_t size, const std::string& method = "") {
  const uint32_t crc = crc32(data, size);
  return framed(kLoad, 2, le(static_cast<uint32_t>(size), 4) + le(crc, 4) + method);
}

void write(const uint8_t* data, size_t size) {
  // The first chunk unloads; the others are copied as WRITE_MODEL would, only faster.
  static const std::string first = framed(kWrite, 1, le(0, 4));
  answer(first);
  if (size != 0) {
    memcpy(fuzz::arena_memory + fuzz::kHeaderBytes, data, size);
  }
}

bool is_ok(const std::string& reply, Frame frame, uint8_t seq) {
  return reply == framed(0x80 | frame, seq, std::string(1, '\0'));
}

void write_inputs(uint8_t first) {
  TensorBytes input;
  for (size_t i = 0; i < kMaxFrames && model_input(i, &input); ++i) {
    const size_t bytes = std::min<size_t>(input.bytes, 64);
    answer(framed(kWriteInput, 3,
                  le(static_cast<uint32_t>(i), 2) + le(0, 4) +
                      std::string(bytes, static_cast<char>(first + i))));
  }
}

void read(Frame frame, bool (*get)(size_t, TensorBytes*)) {
  TensorBytes tensor;
  for (uint32_t i = 0; i < kMaxFrames && get(i, &tensor); ++i) {
    const uint32_t bytes = static_cast<uint32_t>(std::min<size_t>(tensor.bytes, 500));
    answer(framed(frame, 5, le(i, 2) + le(0, 4) + le(bytes, 2)));
  }
}

/// What a host may ask for at any time, in any order. Half of the choices ask for nothing.
void step(const uint8_t* data, size_t size, uint8_t choice) {
  const uint8_t argument = choice >> 4;
  switch (choice & 0xF) {
    case 0: {  // what is as it was loaded loads again
      const bool loaded = model_ready();
      if (!is_ok(answer(framed(kReload, 6, "")), kReload, 6) && loaded) {
        fuzz::fail("the model does not load again");
      }
      break;
    }
    case 1: {
      static const std::string names[] = {"forward", "forwar", std::string(63, 'm'),
                                          std::string(64, 'm'), std::string("m\0", 2)};
      answer(load_frame(data, size, names[argument % std::size(names)]));
      break;
    }
    case 2:  // at the end of the file, at that of the arena, and beyond
      answer(framed(kWrite, 7,
                    le(argument % 2 != 0 ? static_cast<uint32_t>(size)
                                         : fuzz::kArenaBytes - fuzz::kHeaderBytes - argument / 2,
                       4) +
                        std::string(4, 'w')));
      answer(framed(kReload, 6, ""));
      break;
    case 3: {  // as after a reset, the file placed by a debugger
      write(data, size);
      const uint32_t header[] = {0x4D47434D, static_cast<uint32_t>(size),
                                 crc32(data, size) ^ (argument == 0), 0};
      memcpy(fuzz::arena_memory, header, sizeof(header));
      model_store_boot();
      break;
    }
    case 4:
      write_inputs(static_cast<uint8_t>(choice * 37));
      answer(framed(kExecute, 4, ""));
      break;
    case 5:
      read(kReadInput, model_input);
      break;
    case 6:
      answer("db load 4%db 01fe807f%db print%");
      break;
    case 7:  // fewer and more bytes than it has
      write(data, size);
      answer(framed(kLoad, 2, le(static_cast<uint32_t>(size) + argument - 8, 4) + le(0, 4)));
      break;
    default:
      break;
  }
}

void use(const uint8_t* data, size_t size) {
  for (size_t i = 0; i < std::min(kSteps, size); ++i) {
    step(data, size, data[size - 1 - i]);
  }
  write_inputs(1);
  answer(framed(kExecute, 4, ""));
  read(kReadOutput, model_output);
  answer("mcugen info%results%infer 1 0%");
}

/// @returns what the good model gives.
std::string run_good_model() {
  static const std::string frame = load_frame(kGoodModel, sizeof(kGoodModel));
  write(kGoodModel, sizeof(kGoodModel));
  if (!is_ok(answer(frame), kLoad, 2)) {
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
  write(data, size);
  answer(load_frame(data, size));
  use(data, size);
  fuzz::expect_recovery();
  if (run_good_model() != good) {
    fuzz::fail("the good model gives other bytes");
  }
  return 0;
}
