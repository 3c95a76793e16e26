// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <app/app_config.h>
#include <app/peak_allocator.h>
#include <app/text_writer.h>
#include <executorch/runtime/core/error.h>
#include <executorch/runtime/executor/method_meta.h>
#include <executorch/runtime/executor/program.h>

#include <cstddef>
#include <cstdint>

/// Where the model and its memory come from. Two implementations, of which a project takes one:
/// `embedded/` has both in the image, `runner/` takes a model over the console into one arena.
/// The answers of `embedded/` are constants, so that link-time optimization leaves nothing of them.

namespace mcugen {

/// @returns the model and its memory. What is not known yet is empty.
const AppConfig& model_config();

/// To be called once, at boot: load the model, if there is one.
void model_store_boot();

/// @returns whether there is no model at all, which is no fault.
bool model_store_empty();

/// Set `model_config()`'s method name for the program that has just been opened.
executorch::runtime::Error model_store_choose_method(executorch::runtime::Program& program);

/// Check, or lay out, the pools of `model_config()` for a method.
/// @param[in] meta Its planned buffers are what needs memory.
/// @param[in] io_bytes For inputs and outputs, alignment included.
/// @param[out] step What is short of memory; set on failure only.
/// @returns Ok, or MemoryAllocationFailed.
executorch::runtime::Error model_store_place(executorch::runtime::MethodMeta& meta, size_t io_bytes,
                                             const char** step);

/// @returns the allocator of `model_config()`'s temp_pool where that is known only once the method
///     has been loaded, all of it free; else nullptr.
PeakAllocator* model_store_temp_allocator();

/// What a frame of the store's own is answered with.
struct StoreAnswer {
  uint8_t status;
  const char* text;  ///< nullptr where `model_describe_error()` tells.
};

/// Handle a frame type that the server does not know.
/// @param[in] body `bytes` bytes.
/// @param[out] answer Set only when it returns true.
/// @returns whether the type is one of the store's.
bool model_store_frame(uint8_t type, const uint8_t* body, size_t bytes, StoreAnswer* answer);

/// Add the fields of `mcugen info%` that only this store has, each behind a comma.
void model_store_info(TextWriter& out);

}  // namespace mcugen
