// SPDX-License-Identifier: BSD-3-Clause
#include <kernels/select.h>
#include <ops/op_minmax.h>
#include <ops/ops.h>

namespace mcugen::ops {

void cortex_m__maximum_out(KernelRuntimeContext& ctx, Span<EValue*> args) {
  choose_out(ctx, args, "cortex_m::maximum.out", maximum_s8, maximum_s32, maximum_f32);
}

void aten__maximum_out(KernelRuntimeContext& ctx, Span<EValue*> args) {
  choose_out(ctx, args, "aten::maximum.out", maximum_s8, maximum_s32, maximum_f32);
}

}  // namespace mcugen::ops
