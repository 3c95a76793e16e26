// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <cstdint>

/// Where ET_LOG lines go: the platform functions (`et_pal_*`) of the ExecuTorch runtime are defined
/// in log.cpp.

namespace mcugen {

/// Forget the error kept by `log_first_error()`.
void log_reset_first_error();

/// @returns the first line of level Error or above since the last reset, as `file:line message`;
///     empty if there was none. Cut at 119 characters. What follows an error is mostly its echo in
///     the callers, so the first line names the cause.
const char* log_first_error();

/// Log, as an Error, that a pool could not give `wanted` bytes. With ExecuTorch's own runtime only.
/// @param[in] pool What it is called.
/// @param[in] wanted,left,total Bytes.
void log_out_of_memory(const char* pool, size_t wanted, size_t left, size_t total);

/// @param[in] enabled Whether each line is also sent over the console as `m-log-[…]`. Off at boot:
///     the device says nothing unasked.
void log_to_console(bool enabled);

}  // namespace mcugen
