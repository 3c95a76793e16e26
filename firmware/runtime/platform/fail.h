// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <executorch/runtime/core/error.h>
#include <executorch/runtime/platform/compiler.h>
#include <executorch/runtime/platform/log.h>
#include <runtime/platform/config.h>

/// ET_CHECK_OR_RETURN_ERROR in fewer instructions: the error code and the log line leave through
/// one call whose first four arguments travel in registers. ET_LOG in the same place costs a
/// timestamp call, nine arguments and the function's name: 20 to 30 bytes more each time, and the
/// runtime has some eighty of them. These lines stay when ET_LOG_ENABLED is 0, which takes the
/// texts of the assertions in ExecuTorch's headers out of a build, 2 KB of flash;
/// MCUGEN_LOG_ENABLED is theirs.

#ifndef MCUGEN_LOG_ENABLED
#define MCUGEN_LOG_ENABLED 1
#endif

namespace mcugen {

/// Logs one line at level Error. @returns `error`.
ET_PRINTFLIKE(4, 5)
executorch::runtime::Error fail(executorch::runtime::Error error, const char* filename, size_t line,
                                const char* format, ...);

}  // namespace mcugen

#if MCUGEN_LOG_ENABLED
#define MCUGEN_FAIL_WITH(error__, ...)                                                         \
  (::executorch::runtime::LogLevel::Error >= ::executorch::runtime::LogLevel::ET_MIN_LOG_LEVEL \
       ? ::mcugen::fail(error__, ET_SHORT_FILENAME, __LINE__, __VA_ARGS__)                     \
       : (error__))
#else
#define MCUGEN_FAIL_WITH(error__, ...) (error__)
#endif

/// Logs one line. @returns Error::error__.
#define MCUGEN_FAIL(error__, ...) \
  MCUGEN_FAIL_WITH(::executorch::runtime::Error::error__, __VA_ARGS__)

/// Returns the error from the current function, after one log line, if the condition is false.
#define MCUGEN_CHECK(condition__, error__, ...) \
  do {                                          \
    if (!(condition__)) {                       \
      return MCUGEN_FAIL(error__, __VA_ARGS__); \
    }                                           \
  } while (0)

/// The same of what only a damaged or hostile file gets wrong: MCUGEN_CHECK_PROGRAM (config.h).
#define MCUGEN_CHECK_FILE(condition__, error__, ...) \
  MCUGEN_CHECK(!MCUGEN_CHECK_PROGRAM || (condition__), error__, __VA_ARGS__)
