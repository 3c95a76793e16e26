// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <app/text_writer.h>

#include <cstddef>
#include <cstdint>

/// The model of this firmware: loaded from what `model_config()` tells, run on request.
///
/// Memory planning lets a method reuse the bytes of its inputs, so each input has a staging copy in
/// `model_config().io_pool` that is handed to the method anew before every inference. Outputs that
/// the plan leaves to the caller follow there.

namespace mcugen {

/// A tensor as bytes, in its memory order.
struct TensorBytes {
  uint8_t* data;
  size_t bytes;
  int8_t dtype;  ///< `executorch::aten::ScalarType`: 1 is int8, 6 is float32.
};

struct PoolUse {
  size_t used;  ///< For the temp allocator: most that was in use at once, so far.
  size_t total;
};

struct MemoryUse {
  PoolUse planned;
  PoolUse method;
  PoolUse temp;
  PoolUse io;
};

/// Check the `.pte`, load it, set up staging and outputs. Does not fail: what went wrong is kept,
/// `model_ready()` is false from then on.
void model_load();

/// Destroy what `model_load()` made, so that it can be called again. Harmless if it has not been.
void model_unload();

/// @returns whether the model can be executed.
bool model_ready();

/// Write what went wrong: at boot if `model_ready()` is false, else in the last failed execution.
/// The failed step, the `Error` code and the runtime's first log line about it.
void model_describe_error(TextWriter& out);

/// @param[in] index Which input.
/// @param[out] tensor The staging copy; its data may be written. Zero after boot.
/// @returns false if there is no such input, or the `.pte` could not even be read.
bool model_input(size_t index, TensorBytes* tensor);

/// @param[in] index Which output.
/// @param[out] tensor Where it lies; data is nullptr before `model_ready()`.
/// @returns false if there is no such output.
bool model_output(size_t index, TensorBytes* tensor);

/// @returns whether the last execution was successful: the outputs hold its results.
bool model_has_result();

/// Hand over the inputs and execute once.
/// @param[out] ticks Ticks of the execution alone, the empty interval not subtracted.
/// @returns false if it failed or the model is not ready: see `model_describe_error()`.
bool model_execute(uint64_t* ticks);

/// The time of each instruction of the method, in the order of execution.
struct StepTicks {
  size_t first;    ///< The first that is kept.
  uint8_t* ticks;  ///< `room` times a u32, little-endian. It need not be aligned.
  size_t room;
  size_t count;  ///< How many were kept. To be 0 at first.
};

/// As `model_execute()`, but reads the counter behind each instruction.
/// @param[in,out] steps What to keep.
/// @param[out] ticks Of all of it, reading the counter included.
bool model_execute_steps(uint64_t* ticks, StepTicks* steps);

/// @returns what is used of each memory, for `mcugen info%`.
MemoryUse model_memory();

}  // namespace mcugen
