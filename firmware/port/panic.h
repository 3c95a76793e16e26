// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>

namespace mcugen {

/// Stop for good: report over the console in the format of a fault (docs/protocol.md, "Fault
/// report"; kind `Panic`), with `file:line message` as its cause, then wait for reset.
/// @param[in] file Short file name.
/// @param[in] line Line in it.
/// @param[in] message What is wrong, one line of ASCII.
[[noreturn]] void panic(const char* file, int line, const char* message);

/// The report of `panic()`, after which the program goes on.
/// @param[in] caller Where it was called from: the report's PC and LR.
void panic_report(const char* file, int line, const char* message, const void* caller);

}  // namespace mcugen

/// `panic()` with this file and line.
#define MCUGEN_PANIC(message) ::mcugen::panic(__FILE_NAME__, __LINE__, (message))
