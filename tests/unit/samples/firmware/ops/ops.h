// SPDX-License-Identifier: BSD-3-Clause
#pragma once
#include <executorch/runtime/core/evalue.h>
#include <executorch/runtime/core/span.h>
#include <executorch/runtime/kernel/kernel_runtime_context.h>

namespace mcugen::ops {
void aten__one_out(executorch::runtime::KernelRuntimeContext& context,
                   executorch::runtime::Span<executorch::runtime::EValue*> args);
void aten__two_out(executorch::runtime::KernelRuntimeContext& context,
                   executorch::runtime::Span<executorch::runtime::EValue*> args);
}  // namespace mcugen::ops
