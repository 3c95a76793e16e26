// SPDX-License-Identifier: BSD-3-Clause
//
// The one model is part of the image, its memory was planned when that was made.
#include <app/model.h>
#include <app/model_store.h>

namespace mcugen {

using executorch::runtime::Error;

const AppConfig& model_config() { return kAppConfig; }

void model_store_boot() { model_load(); }

bool model_store_empty() { return false; }

Error model_store_choose_method(executorch::runtime::Program&) { return Error::Ok; }

Error model_store_place(executorch::runtime::MethodMeta&, size_t io_bytes, const char** step) {
  if (io_bytes > kAppConfig.io_pool.size()) {
    *step = "io pool too small";
    return Error::MemoryAllocationFailed;
  }
  return Error::Ok;
}

bool model_store_frame(uint8_t, const uint8_t*, size_t, StoreAnswer*) { return false; }

void model_store_info(TextWriter&) {}

}  // namespace mcugen
