// SPDX-License-Identifier: BSD-3-Clause
//
// The one model is part of the image, its memory was planned when that was made.
#include <app/model.h>
#include <app/model_store.h>

#include <cstring>

namespace mcugen {

using executorch::runtime::Error;

namespace {

constexpr uint8_t kReloadModel = 0x12;
constexpr uint8_t kOk = 0;
constexpr uint8_t kBadArgument = 3;
constexpr uint8_t kLoadFailed = 6;

}  // namespace

const AppConfig& model_config() { return kAppConfig; }

void model_store_boot() { model_load(); }

bool model_store_empty() { return false; }

Error model_store_choose_method(executorch::runtime::Program&) { return Error::Ok; }

Error model_store_place(executorch::runtime::MethodMeta&, size_t io_bytes, const char** step) {
  if (io_bytes > kAppConfig.io_pool.size()) {
    *step = "io pool too small";
    return Error::MemoryAllocationFailed;
  }
  if (kAppConfig.keeps_state) {
    // The linker script leaves it as it is; what the file has an initial state for is loaded later.
    for (size_t i = 0; i < kAppConfig.num_planned_buffers; ++i) {
      const auto& buffer = kAppConfig.planned_buffers[i];
      std::memset(buffer.data(), 0, buffer.size());
    }
  }
  return Error::Ok;
}

PeakAllocator* model_store_temp_allocator() { return nullptr; }

// Without state there is nothing to set back, and this costs nothing.
bool model_store_frame(uint8_t type, const uint8_t*, size_t bytes, StoreAnswer* answer) {
  if (!kAppConfig.keeps_state || type != kReloadModel) {
    return false;
  }
  if (bytes != 0) {
    *answer = {kBadArgument, "out of range"};
    return true;
  }
  model_unload();
  model_load();
  *answer = model_ready() ? StoreAnswer{kOk, ""} : StoreAnswer{kLoadFailed, nullptr};
  return true;
}

void model_store_info(TextWriter&) {}

}  // namespace mcugen
