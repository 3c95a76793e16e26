// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <executorch/runtime/core/span.h>
#include <executorch/runtime/kernel/operator_registry.h>

/// From reset to a filled registry, where ExecuTorch's own libraries are linked.

namespace mcugen {

/// @returns ExecuTorch's kernels for the operators that the model calls, but for those that a
///     static constructor registers. Generated: src/operators.cpp.
executorch::runtime::Span<const executorch::runtime::Kernel> model_kernels();

/// What the firmware is doing: an abort of ExecuTorch means something else at each.
enum class BootStage {
  kConstructors,  ///< running static constructors, which register kernels
  kRegistering,   ///< registering the model's kernels, one by one
  kRunning,       ///< all that comes later
};

/// @param[in] stage Begins now.
/// @param[in] kernel What is being registered; null if nothing is.
void boot_stage(BootStage stage, const char* kernel = nullptr);

}  // namespace mcugen
