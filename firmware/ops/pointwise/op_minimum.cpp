// SPDX-License-Identifier: BSD-3-Clause
#include <kernels/select.h>
#include <ops/pointwise/op_minmax.h>
#include <ops/pointwise/operators.h>

namespace mcugen::ops {
namespace {

/// NaN if one of them is.
float smaller_f32(const float* x) { return x[0] < x[1] || x[0] != x[0] ? x[0] : x[1]; }

int64_t smaller_int(const int64_t* x) { return x[0] < x[1] ? x[0] : x[1]; }

}  // namespace

void cortex_m__minimum_out(KernelRuntimeContext& ctx, Span<EValue*> args) {
  static constexpr Pointwise kOp =
      promoted("cortex_m::minimum.out", "tt", smaller_f32, smaller_int);
  choose_out(ctx, args, kOp, minimum_s8, minimum_s32, minimum_f32);
}

void aten__minimum_out(KernelRuntimeContext& ctx, Span<EValue*> args) {
  static constexpr Pointwise kOp = promoted("aten::minimum.out", "tt", smaller_f32, smaller_int);
  choose_out(ctx, args, kOp, minimum_s8, minimum_s32, minimum_f32);
}

}  // namespace mcugen::ops
