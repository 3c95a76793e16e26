// SPDX-License-Identifier: BSD-3-Clause
#include <ops/reduce/operators.h>
#include <ops/reduce/reduction.h>

// Sums, extremes and their places, and the like.

namespace mcugen::ops {
namespace {

void sum_float(Tally& tally, float x) { tally.real += static_cast<double>(x); }
void sum_int(Tally& tally, int64_t x) { tally.integer = wrapping_add(tally.integer, x); }
void product_float(Tally& tally, float x) { tally.real *= static_cast<double>(x); }
void product_int(Tally& tally, int64_t x) { tally.integer = wrapping_mul(tally.integer, x); }
void any_float(Tally& tally, float x) { tally.integer |= x != 0.0f ? 1 : 0; }

/// The first of equal ones, and of NaNs, counts.
template <bool kLargest>
void extreme_float(Tally& tally, float x) {
  const double value = static_cast<double>(x);
  if (tally.count == 0 || (kLargest ? value > tally.real : value < tally.real) ||
      (x != x && tally.real == tally.real)) {
    tally.real = value;
    tally.place = tally.count;
  }
}

template <bool kLargest>
void extreme_int(Tally& tally, int64_t x) {
  if (tally.count == 0 || (kLargest ? x > tally.integer : x < tally.integer)) {
    tally.integer = x;
    tally.place = tally.count;
  }
}

constexpr Steps kAdd = {sum_float, sum_int};
constexpr Steps kAddFloats = {sum_float, nullptr};
constexpr Steps kMultiply = {product_float, product_int, 1};
constexpr Steps kFindLargest = {extreme_float<true>, extreme_int<true>, 0, true};
constexpr Steps kFindSmallest = {extreme_float<false>, extreme_int<false>, 0, true};
constexpr Steps kAny = {any_float, nullptr};

constexpr Output kTotal = {Gives::kValue, Stores::kSum};
constexpr Output kSame = {Gives::kValue, Stores::kSame};
constexpr Output kPlace = {Gives::kPlace, Stores::kLong};
constexpr Output kMean = {Gives::kMean, Stores::kFloat};
constexpr Output kVariance = {Gives::kVariance, Stores::kFloat};
constexpr Output kTruth = {Gives::kValue, Stores::kBool};

}  // namespace

void aten__sum_IntList_out(KernelRuntimeContext& ctx, Span<EValue*> args) {
  static constexpr Reduction kOp = {"aten::sum.IntList_out", "Dky", kAdd, {kTotal}};
  reduce(ctx, args, kOp);
}

void aten__mean_out(KernelRuntimeContext& ctx, Span<EValue*> args) {
  static constexpr Reduction kOp = {"aten::mean.out", "Dky", kAddFloats, {kMean}};
  reduce(ctx, args, kOp);
}

void aten__mean_dtype_out(KernelRuntimeContext& ctx, Span<EValue*> args) {
  static constexpr Reduction kOp = {"aten::mean.dtype_out", "y", kAddFloats, {kMean}};
  reduce(ctx, args, kOp);
}

void aten__prod_out(KernelRuntimeContext& ctx, Span<EValue*> args) {
  static constexpr Reduction kOp = {"aten::prod.out", "y", kMultiply, {kTotal}};
  reduce(ctx, args, kOp);
}

void aten__prod_int_out(KernelRuntimeContext& ctx, Span<EValue*> args) {
  static constexpr Reduction kOp = {"aten::prod.int_out", "dky", kMultiply, {kTotal}};
  reduce(ctx, args, kOp);
}

void aten__amax_out(KernelRuntimeContext& ctx, Span<EValue*> args) {
  static constexpr Reduction kOp = {"aten::amax.out", "Dk", kFindLargest, {kSame}};
  reduce(ctx, args, kOp);
}

void aten__amin_out(KernelRuntimeContext& ctx, Span<EValue*> args) {
  static constexpr Reduction kOp = {"aten::amin.out", "Dk", kFindSmallest, {kSame}};
  reduce(ctx, args, kOp);
}

void aten__argmax_out(KernelRuntimeContext& ctx, Span<EValue*> args) {
  static constexpr Reduction kOp = {"aten::argmax.out", "ek", kFindLargest, {kPlace}};
  reduce(ctx, args, kOp);
}

void aten__argmin_out(KernelRuntimeContext& ctx, Span<EValue*> args) {
  static constexpr Reduction kOp = {"aten::argmin.out", "ek", kFindSmallest, {kPlace}};
  reduce(ctx, args, kOp);
}

void aten__max_dim_max(KernelRuntimeContext& ctx, Span<EValue*> args) {
  static constexpr Reduction kOp = {"aten::max.dim_max", "dk", kFindLargest, {kSame, kPlace}};
  reduce(ctx, args, kOp);
}

void aten__max_unary_out(KernelRuntimeContext& ctx, Span<EValue*> args) {
  static constexpr Reduction kOp = {"aten::max.unary_out", "", kFindLargest, {kTotal}};
  reduce(ctx, args, kOp);
}

void aten__min_dim_min(KernelRuntimeContext& ctx, Span<EValue*> args) {
  static constexpr Reduction kOp = {"aten::min.dim_min", "dk", kFindSmallest, {kSame, kPlace}};
  reduce(ctx, args, kOp);
}

void aten__min_unary_out(KernelRuntimeContext& ctx, Span<EValue*> args) {
  static constexpr Reduction kOp = {"aten::min.unary_out", "", kFindSmallest, {kTotal}};
  reduce(ctx, args, kOp);
}

void aten__any_all_out(KernelRuntimeContext& ctx, Span<EValue*> args) {
  static constexpr Reduction kOp = {"aten::any.all_out", "", kAny, {kTruth}};
  reduce(ctx, args, kOp);
}

void aten__any_dims_out(KernelRuntimeContext& ctx, Span<EValue*> args) {
  static constexpr Reduction kOp = {"aten::any.dims_out", "Dk", kAny, {kTruth}};
  reduce(ctx, args, kOp);
}

void aten__any_out(KernelRuntimeContext& ctx, Span<EValue*> args) {
  static constexpr Reduction kOp = {"aten::any.out", "dk", kAny, {kTruth}};
  reduce(ctx, args, kOp);
}

void aten__var_correction_out(KernelRuntimeContext& ctx, Span<EValue*> args) {
  static constexpr Reduction kOp = {"aten::var.correction_out", "Dck", kAddFloats, {kVariance}};
  reduce(ctx, args, kOp);
}

void aten__var_out(KernelRuntimeContext& ctx, Span<EValue*> args) {
  static constexpr Reduction kOp = {"aten::var.out", "Duk", kAddFloats, {kVariance}};
  reduce(ctx, args, kOp);
}

void aten__var_mean_correction_out(KernelRuntimeContext& ctx, Span<EValue*> args) {
  static constexpr Reduction kOp = {
      "aten::var_mean.correction_out", "Dck", kAddFloats, {kVariance, kMean}};
  reduce(ctx, args, kOp);
}

}  // namespace mcugen::ops
