// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <ops/common/op_args.h>

/// Operators whose constants the generator prepared for the loop that reads them, in mcugen's own
/// namespace. See ops.h.

namespace mcugen::ops {

void mcugen__packed_conv2d_out(KernelRuntimeContext& ctx, Span<EValue*> args);
void mcugen__packed_conv2d_nhwc_out(KernelRuntimeContext& ctx, Span<EValue*> args);
void mcugen__packed_conv_depthwise_out(KernelRuntimeContext& ctx, Span<EValue*> args);
void mcugen__packed_conv_depthwise_nhwc_out(KernelRuntimeContext& ctx, Span<EValue*> args);
void mcugen__packed_linear_out(KernelRuntimeContext& ctx, Span<EValue*> args);
void mcugen__packed_linear_5x4_out(KernelRuntimeContext& ctx, Span<EValue*> args);
void mcugen__packed_linear_4x4_out(KernelRuntimeContext& ctx, Span<EValue*> args);
void mcugen__packed_linear_8x16_out(KernelRuntimeContext& ctx, Span<EValue*> args);
void mcugen__scaled_add_out(KernelRuntimeContext& ctx, Span<EValue*> args);

}  // namespace mcugen::ops
