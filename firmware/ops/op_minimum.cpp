// SPDX-License-Identifier: BSD-3-Clause
#include <kernels/select.h>
#include <ops/op_minmax.h>
#include <ops/ops.h>

namespace mcugen::ops {

void cortex_m__minimum_out(KernelRuntimeContext& ctx, Span<EValue*> args) {
  choose_out(ctx, args, "cortex_m::minimum.out", minimum_s8, minimum_s32, minimum_f32);
}

void aten__minimum_out(KernelRuntimeContext& ctx, Span<EValue*> args) {
  choose_out(ctx, args, "aten::minimum.out", minimum_s8, minimum_s32, minimum_f32);
}

}  // namespace mcugen::ops
