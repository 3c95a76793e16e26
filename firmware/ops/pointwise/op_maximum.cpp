// SPDX-License-Identifier: BSD-3-Clause
#include <kernels/select.h>
#include <ops/pointwise/op_minmax.h>
#include <ops/pointwise/operators.h>

namespace mcugen::ops {
namespace {

/// NaN if one of them is.
float larger_f32(const float* x) { return x[0] > x[1] || x[0] != x[0] ? x[0] : x[1]; }

int64_t larger_int(const int64_t* x) { return x[0] > x[1] ? x[0] : x[1]; }

}  // namespace

void cortex_m__maximum_out(KernelRuntimeContext& ctx, Span<EValue*> args) {
  static constexpr Pointwise kOp = promoted("cortex_m::maximum.out", "tt", larger_f32, larger_int);
  choose_out(ctx, args, kOp, maximum_s8, maximum_s32, maximum_f32);
}

void aten__maximum_out(KernelRuntimeContext& ctx, Span<EValue*> args) {
  static constexpr Pointwise kOp = promoted("aten::maximum.out", "tt", larger_f32, larger_int);
  choose_out(ctx, args, kOp, maximum_s8, maximum_s32, maximum_f32);
}

}  // namespace mcugen::ops
