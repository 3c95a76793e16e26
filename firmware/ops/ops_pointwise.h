// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <ops/op_args.h>

/// Element by element, and reductions. See ops.h.

namespace mcugen::ops {

void aten__clamp_out(KernelRuntimeContext& ctx, Span<EValue*> args);
void aten__hardtanh_out(KernelRuntimeContext& ctx, Span<EValue*> args);
void aten__maximum_out(KernelRuntimeContext& ctx, Span<EValue*> args);
void aten__minimum_out(KernelRuntimeContext& ctx, Span<EValue*> args);
void aten__relu_out(KernelRuntimeContext& ctx, Span<EValue*> args);

}  // namespace mcugen::ops
