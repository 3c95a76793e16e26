// SPDX-License-Identifier: BSD-3-Clause
#include <ops/common/elements.h>
#include <ops/prim/operators.h>

/// Arithmetic on numbers, which exported programs do on sizes. The result overwrites the last
/// argument, whatever number that was.

namespace mcugen::ops {
namespace {

enum class Symbolic : uint8_t {
  kAdd,
  kSub,
  kMul,
  kFloorDiv,
  kTrueDiv,
  kMod,
  kTruncDiv,
  kEq,
  kGe,
  kGt,
  kLe,
  kLt,
  kMax,
  kMin,
};

/// Writes a result. @returns whether a number was there.
bool set_number(OpArgs& args, EValue* result, const EValue& value) {
  // A tensor or list would lose its memory's owner.
  const bool fits =
      args.ok() && (result->isInt() || result->isDouble() || result->isBool() || result->isNone());
  if (args.check(fits, "result")) {
    *result = value;
  }
  return args.ok();
}

int64_t floor_divide(int64_t a, int64_t b) {
  if (b == -1) {
    return wrapping_sub(0, a);  // the most negative number has no opposite
  }
  return a / b - (a % b != 0 && (a < 0) != (b < 0) ? 1 : 0);
}

/// The nearest whole number below; exact, since greater doubles are whole already.
double floor_of(double value) {
  if (!(value > -4503599627370496.0 && value < 4503599627370496.0)) {
    return value;
  }
  const double whole = static_cast<double>(static_cast<int64_t>(value));
  return whole > value ? whole - 1 : whole;
}

bool compare(Symbolic kind, bool less, bool equal, bool greater) {
  switch (kind) {
    case Symbolic::kEq:
      return equal;
    case Symbolic::kGe:
      return greater || equal;
    case Symbolic::kGt:
      return greater;
    case Symbolic::kLe:
      return less || equal;
    default:
      return less;
  }
}

EValue of_ints(Symbolic kind, int64_t a, int64_t b) {
  switch (kind) {
    case Symbolic::kAdd:
      return EValue(wrapping_add(a, b));
    case Symbolic::kSub:
      return EValue(wrapping_sub(a, b));
    case Symbolic::kMul:
      return EValue(wrapping_mul(a, b));
    case Symbolic::kFloorDiv:
      return EValue(floor_divide(a, b));
    case Symbolic::kTruncDiv:
      return EValue(b == -1 ? wrapping_sub(0, a) : a / b);
    case Symbolic::kMod:
      return EValue(b == -1 ? int64_t{0} : a % b);
    case Symbolic::kTrueDiv:
      return EValue(static_cast<double>(a) / static_cast<double>(b));
    case Symbolic::kMax:
      return EValue(a > b ? a : b);
    case Symbolic::kMin:
      return EValue(a < b ? a : b);
    default:
      return EValue(compare(kind, a<b, a == b, a> b));
  }
}

EValue of_doubles(Symbolic kind, double a, double b) {
  switch (kind) {
    case Symbolic::kAdd:
      return EValue(a + b);
    case Symbolic::kSub:
      return EValue(a - b);
    case Symbolic::kMul:
      return EValue(a * b);
    case Symbolic::kFloorDiv:
      return EValue(floor_of(a / b));
    case Symbolic::kTrueDiv:
      return EValue(a / b);
    default:
      return EValue(compare(kind, a<b, a == b, a> b));
  }
}

/// (Scalar a, Scalar b) -> Scalar
void binary(KernelRuntimeContext& ctx, Span<EValue*> arguments, const char* op, Symbolic kind) {
  OpArgs args(ctx, arguments, op, 2);
  const Number a = args.scalar(0);
  const Number b = args.scalar(1);
  const bool compares = kind >= Symbolic::kEq && kind <= Symbolic::kLt;
  const bool bools = a.dtype == ScalarType::Bool && b.dtype == ScalarType::Bool;
  args.check((compares && bools) || (a.dtype != ScalarType::Bool && b.dtype != ScalarType::Bool),
             "type: bool");
  const bool ints = a.dtype != ScalarType::Float && b.dtype != ScalarType::Float;
  const bool divides =
      kind == Symbolic::kFloorDiv || kind == Symbolic::kTruncDiv || kind == Symbolic::kMod;
  const bool ints_only = kind == Symbolic::kTruncDiv || kind == Symbolic::kMod ||
                         kind == Symbolic::kMax || kind == Symbolic::kMin;
  args.check(ints || !ints_only, "type: not int");
  args.check(!ints || !divides || b.integer != 0, "divisor: 0");
  if (args.ok()) {
    set_number(args, arguments[2],
               ints ? of_ints(kind, a.integer, b.integer) : of_doubles(kind, a.real, b.real));
  }
}

enum class Rounding : uint8_t { kCeil, kEven, kTrunc };

/// (Scalar a) -> Scalar: a double as the int near it.
void to_whole(KernelRuntimeContext& ctx, Span<EValue*> arguments, const char* op,
              Rounding rounding) {
  OpArgs args(ctx, arguments, op, 1);
  const Number a = args.scalar(0);
  if (!args.check(a.dtype == ScalarType::Float, "type: not float")) {
    return;
  }
  double value = a.real;
  if (rounding == Rounding::kCeil) {
    value = -floor_of(-value);
  } else if (rounding == Rounding::kEven) {
    const double below = floor_of(value);
    const double part = value - below;
    const bool odd = floor_of(below / 2) * 2 != below;
    value = part > 0.5 || (part == 0.5 && odd) ? below + 1 : below;
  }
  set_number(args, arguments[1], EValue(float_to_int(value)));
}

}  // namespace

void executorch_prim__add_Scalar(KernelRuntimeContext& ctx, Span<EValue*> args) {
  binary(ctx, args, "executorch_prim::add.Scalar", Symbolic::kAdd);
}

void executorch_prim__eq_Scalar(KernelRuntimeContext& ctx, Span<EValue*> args) {
  binary(ctx, args, "executorch_prim::eq.Scalar", Symbolic::kEq);
}

void executorch_prim__floordiv_Scalar(KernelRuntimeContext& ctx, Span<EValue*> args) {
  binary(ctx, args, "executorch_prim::floordiv.Scalar", Symbolic::kFloorDiv);
}

// Unlike floordiv.Scalar it truncates, as ExecuTorch's does.
void executorch_prim__floordiv_int(KernelRuntimeContext& ctx, Span<EValue*> args) {
  binary(ctx, args, "executorch_prim::floordiv.int", Symbolic::kTruncDiv);
}

void executorch_prim__ge_Scalar(KernelRuntimeContext& ctx, Span<EValue*> args) {
  binary(ctx, args, "executorch_prim::ge.Scalar", Symbolic::kGe);
}

void executorch_prim__gt_Scalar(KernelRuntimeContext& ctx, Span<EValue*> args) {
  binary(ctx, args, "executorch_prim::gt.Scalar", Symbolic::kGt);
}

void executorch_prim__le_Scalar(KernelRuntimeContext& ctx, Span<EValue*> args) {
  binary(ctx, args, "executorch_prim::le.Scalar", Symbolic::kLe);
}

void executorch_prim__lt_Scalar(KernelRuntimeContext& ctx, Span<EValue*> args) {
  binary(ctx, args, "executorch_prim::lt.Scalar", Symbolic::kLt);
}

// With the sign of the dividend, as ExecuTorch's.
void executorch_prim__mod_Scalar(KernelRuntimeContext& ctx, Span<EValue*> args) {
  binary(ctx, args, "executorch_prim::mod.Scalar", Symbolic::kMod);
}

void executorch_prim__mod_int(KernelRuntimeContext& ctx, Span<EValue*> args) {
  binary(ctx, args, "executorch_prim::mod.int", Symbolic::kMod);
}

void executorch_prim__mul_Scalar(KernelRuntimeContext& ctx, Span<EValue*> args) {
  binary(ctx, args, "executorch_prim::mul.Scalar", Symbolic::kMul);
}

void executorch_prim__sub_Scalar(KernelRuntimeContext& ctx, Span<EValue*> args) {
  binary(ctx, args, "executorch_prim::sub.Scalar", Symbolic::kSub);
}

void executorch_prim__sym_max_Scalar(KernelRuntimeContext& ctx, Span<EValue*> args) {
  binary(ctx, args, "executorch_prim::sym_max.Scalar", Symbolic::kMax);
}

void executorch_prim__sym_min_Scalar(KernelRuntimeContext& ctx, Span<EValue*> args) {
  binary(ctx, args, "executorch_prim::sym_min.Scalar", Symbolic::kMin);
}

void executorch_prim__truediv_Scalar(KernelRuntimeContext& ctx, Span<EValue*> args) {
  binary(ctx, args, "executorch_prim::truediv.Scalar", Symbolic::kTrueDiv);
}

void executorch_prim__ceil_Scalar(KernelRuntimeContext& ctx, Span<EValue*> args) {
  to_whole(ctx, args, "executorch_prim::ceil.Scalar", Rounding::kCeil);
}

void executorch_prim__round_Scalar(KernelRuntimeContext& ctx, Span<EValue*> args) {
  to_whole(ctx, args, "executorch_prim::round.Scalar", Rounding::kEven);
}

void executorch_prim__trunc_Scalar(KernelRuntimeContext& ctx, Span<EValue*> args) {
  to_whole(ctx, args, "executorch_prim::trunc.Scalar", Rounding::kTrunc);
}

void executorch_prim__neg_Scalar(KernelRuntimeContext& ctx, Span<EValue*> arguments) {
  OpArgs args(ctx, arguments, "executorch_prim::neg.Scalar", 1);
  const Number a = args.scalar(0);
  if (args.check(a.dtype != ScalarType::Bool, "type: bool")) {
    set_number(args, arguments[1],
               a.dtype == ScalarType::Float ? EValue(-a.real) : EValue(wrapping_sub(0, a.integer)));
  }
}

void executorch_prim__sym_float_Scalar(KernelRuntimeContext& ctx, Span<EValue*> arguments) {
  OpArgs args(ctx, arguments, "executorch_prim::sym_float.Scalar", 1);
  const Number a = args.scalar(0);
  if (args.ok()) {
    set_number(args, arguments[1], EValue(a.real));
  }
}

void executorch_prim__sym_int_Scalar(KernelRuntimeContext& ctx, Span<EValue*> arguments) {
  OpArgs args(ctx, arguments, "executorch_prim::sym_int.Scalar", 1);
  const Number a = args.scalar(0);
  if (args.ok()) {
    set_number(args, arguments[1], EValue(a.integer));
  }
}

void executorch_prim__sym_ite_Scalar(KernelRuntimeContext& ctx, Span<EValue*> arguments) {
  OpArgs args(ctx, arguments, "executorch_prim::sym_ite.Scalar", 3);
  const bool condition = args.boolean(0);
  const Number chosen = args.scalar(condition ? 1 : 2);
  args.scalar(condition ? 2 : 1);
  if (args.ok()) {
    set_number(args, arguments[3],
               chosen.dtype == ScalarType::Float  ? EValue(chosen.real)
               : chosen.dtype == ScalarType::Bool ? EValue(chosen.integer != 0)
                                                  : EValue(chosen.integer));
  }
}

void executorch_prim__sym_not_Scalar(KernelRuntimeContext& ctx, Span<EValue*> arguments) {
  OpArgs args(ctx, arguments, "executorch_prim::sym_not.Scalar", 1);
  const bool a = args.boolean(0);
  if (args.ok()) {
    set_number(args, arguments[1], EValue(!a));
  }
}

void aten___local_scalar_dense(KernelRuntimeContext& ctx, Span<EValue*> arguments) {
  OpArgs args(ctx, arguments, "aten::_local_scalar_dense", 1);
  const Tensor* const self = args.tensor_of(0, kComputeDtypes);
  if (!args.ok() || !args.check(self->numel() != 0, "shape")) {
    return;
  }
  const void* const data = self->const_data_ptr();
  const ScalarType type = self->scalar_type();
  const int64_t number = load_int(data, type, 0);
  set_number(args, arguments[1],
             type == ScalarType::Float  ? EValue(static_cast<double>(load_float(data, type, 0)))
             : type == ScalarType::Bool ? EValue(number != 0)
                                        : EValue(number));
}

void aten__sym_numel(KernelRuntimeContext& ctx, Span<EValue*> arguments) {
  OpArgs args(ctx, arguments, "aten::sym_numel", 1);
  const Tensor* const self = args.tensor(0);
  if (args.ok()) {
    set_number(args, arguments[1], EValue(static_cast<int64_t>(self->numel())));
  }
}

void aten__sym_size_int(KernelRuntimeContext& ctx, Span<EValue*> arguments) {
  OpArgs args(ctx, arguments, "aten::sym_size.int", 2);
  const Tensor* const self = args.tensor(0);
  const int32_t dim = args.ok() ? args.dim(1, static_cast<int32_t>(self->dim())) : 0;
  if (args.ok() && args.check(self->dim() != 0, "rank")) {
    set_number(args, arguments[2], EValue(static_cast<int64_t>(sizes_of(*self)[dim])));
  }
}

}  // namespace mcugen::ops
