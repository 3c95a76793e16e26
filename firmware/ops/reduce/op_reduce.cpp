// SPDX-License-Identifier: BSD-3-Clause
#include <ops/pointwise/pointwise.h>
#include <ops/reduce/operators.h>

#include <cstring>

// Reductions: sums, extremes and their places, and the like. Floats are accumulated in double, in
// the logical order of the elements, so that the result is the exact sum's nearest float but for
// sums that cancel; integers wrap.

namespace mcugen::ops {
namespace {

/// What one element of the output is computed from.
struct Tally {
  double real;      ///< sum, product or extreme of floats
  int64_t integer;  ///< the same of integers
  int64_t count;    ///< elements before this one
  int64_t place;    ///< of the extreme
};

enum class Gives : uint8_t { kValue, kPlace, kMean, kVariance };

/// Which type an output must have.
enum class Stores : uint8_t { kSum, kSame, kLong, kBool, kFloat };

struct Reduction {
  const char* op;  ///< full name
  /// A letter for each argument after the input and before the outputs: D int[]? dims, d int dim,
  /// e int? dim, k keepdim, y dtype, u unbiased, c correction.
  const char* arguments;
  void (*in_float)(Tally& tally, float x);
  void (*in_int)(Tally& tally, int64_t x);  ///< null: integers are taken as floats
  Gives gives[2];
  Stores stores[2];
  uint8_t outs = 1;
  uint8_t start = 0;       ///< value of the tally before the first element
  bool needs_one = false;  ///< there is no result of no elements
};

/// Dimensions that are walked in N tensors side by side.
template <int32_t N>
struct Axes {
  int32_t rank = 0;
  int32_t sizes[kMaxDims];
  int32_t strides[N][kMaxDims];
  int32_t index[kMaxDims];
  int32_t offsets[N] = {};

  /// Goes to the next element; from the last one to the first.
  void next() {
    for (int32_t d = rank - 1; d >= 0; --d) {
      const bool inside = ++index[d] < sizes[d];
      for (int32_t i = 0; i < N; ++i) {
        offsets[i] += inside ? strides[i][d] : -strides[i][d] * (sizes[d] - 1);
      }
      if (inside) {
        return;
      }
      index[d] = 0;
    }
  }
};

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

/// The arguments of a reduction.
struct Call {
  const Tensor* input = nullptr;
  const Tensor* outs[2] = {};
  uint32_t mask = 0;  ///< of the dimensions that are reduced
  bool keep = false;
  double correction = 1.0;
  bool computes_float = false;
};

bool stores_right(Stores stores, ScalarType input, ScalarType out) {
  switch (stores) {
    case Stores::kSum:
      return may_store(input, out);
    case Stores::kSame:
      return input == out;
    case Stores::kLong:
      return out == ScalarType::Long;
    case Stores::kBool:
      return out == ScalarType::Bool || out == ScalarType::Byte;
    default:
      return out == ScalarType::Float;
  }
}

void read_call(OpArgs& args, const Reduction& op, Call& call) {
  call.input = args.tensor_of(0, kComputeDtypes);
  if (!args.ok()) {
    return;
  }
  const auto rank = static_cast<int32_t>(call.input->dim());
  call.mask = (1u << rank) - 1;
  const size_t count = strlen(op.arguments);
  const ScalarType input = call.input->scalar_type();
  ScalarType dtype = ScalarType::Undefined;
  for (size_t i = 0; i < count; ++i) {
    const size_t index = i + 1;
    switch (op.arguments[i]) {
      case 'D':
        call.mask = args.dims(index, rank);
        break;
      case 'd':
        call.mask = 1u << args.dim(index, rank);
        break;
      case 'e':
        call.mask = args.is_none(index) ? call.mask : 1u << args.dim(index, rank);
        break;
      case 'k':
        call.keep = args.boolean(index);
        break;
      case 'y':
        dtype = args.optional_dtype(index, ScalarType::Undefined, kComputeDtypes);
        break;
      case 'u':
        call.correction = args.boolean(index) ? 1.0 : 0.0;
        break;
      default:
        call.correction = args.is_none(index) ? 1.0 : args.scalar(index).real;
        break;
    }
  }
  for (size_t i = 0; i < op.outs; ++i) {
    call.outs[i] = args.tensor_of(1 + count + i, kComputeDtypes);
    if (args.ok()) {
      const ScalarType out = call.outs[i]->scalar_type();
      args.check(
          (dtype == ScalarType::Undefined || dtype == out) &&
              stores_right(
                  op.stores[i],
                  dtype != ScalarType::Undefined && op.stores[i] == Stores::kSum ? dtype : input,
                  out),
          "dtype");
    }
  }
  if (args.ok()) {
    // A sum is taken in the type it is stored in: float elements are cut to integers one by one.
    const ScalarType computed = op.stores[0] == Stores::kSum ? call.outs[0]->scalar_type() : input;
    call.computes_float = op.in_int == nullptr || computed == ScalarType::Float;
  }
}

/// Splits the input's dimensions into those kept and those reduced, and gives the outputs their
/// shape. @returns elements per reduction.
int64_t split(OpArgs& args, const Reduction& op, const Call& call, Axes<3>& kept,
              Axes<1>& reduced) {
  const auto rank = static_cast<int32_t>(call.input->dim());
  const int32_t* const sizes = sizes_of(*call.input);
  int32_t strides[kMaxDims] = {};
  if (call.input->numel() != 0) {
    element_strides(*call.input, strides);
  }
  int32_t shape[kMaxDims];
  int32_t dims = 0;
  bool none = false;
  int64_t count = 1;
  for (int32_t d = 0; d < rank; ++d) {
    const bool is_reduced = (call.mask >> d & 1u) != 0;
    if (is_reduced) {
      none |= sizes[d] == 0;
      // Wraps at most for an input of no elements, where the output has none either or `none` is
      // set.
      count = wrapping_mul(count, sizes[d]);
      reduced.sizes[reduced.rank] = sizes[d];
      reduced.index[reduced.rank] = 0;
      reduced.strides[0][reduced.rank++] = strides[d];
    } else {
      kept.sizes[kept.rank] = sizes[d];
      kept.index[kept.rank] = 0;
      kept.strides[0][kept.rank++] = strides[d];
    }
    if (!is_reduced || call.keep) {
      shape[dims++] = is_reduced ? 1 : sizes[d];
    }
  }
  count = none ? 0 : count;
  args.check(count != 0 || !op.needs_one || call.outs[0]->numel() == 0, "shape: nothing to choose");
  for (int32_t i = 0; i < op.outs; ++i) {
    if (!args.resize(call.outs[i], shape, dims)) {
      return 0;
    }
    int32_t out_strides[kMaxDims] = {};
    if (call.outs[i]->numel() != 0) {
      element_strides(*call.outs[i], out_strides);
    }
    int32_t at = 0;
    for (int32_t d = 0, out_d = 0; d < rank; ++d) {
      const bool is_reduced = (call.mask >> d & 1u) != 0;
      if (!is_reduced) {
        kept.strides[1 + i][at++] = out_strides[out_d];
      }
      out_d += !is_reduced || call.keep ? 1 : 0;
    }
  }
  if (op.outs == 1) {
    memset(kept.strides[2], 0, sizeof kept.strides[2]);
  }
  return count;
}

Tally run(const Reduction& op, const Call& call, int32_t offset, Axes<1>& reduced, int64_t count) {
  Tally tally = {static_cast<double>(op.start), op.start, 0, 0};
  const void* const data = call.input->const_data_ptr();
  const ScalarType dtype = call.input->scalar_type();
  for (; tally.count < count; ++tally.count, reduced.next()) {
    const auto at = static_cast<size_t>(offset + reduced.offsets[0]);
    if (call.computes_float) {
      op.in_float(tally, load_float(data, dtype, at));
    } else {
      op.in_int(tally, load_int(data, dtype, at));
    }
  }
  return tally;
}

/// The variance of the elements whose sum is known.
double variance(const Call& call, int32_t offset, Axes<1>& reduced, const Tally& tally) {
  const double mean = tally.real / static_cast<double>(tally.count);
  double sum = 0.0;
  for (int64_t i = 0; i < tally.count; ++i, reduced.next()) {
    const double x =
        static_cast<double>(load_float(call.input->const_data_ptr(), call.input->scalar_type(),
                                       static_cast<size_t>(offset + reduced.offsets[0])));
    sum += (x - mean) * (x - mean);
  }
  const double freedom = static_cast<double>(tally.count) - call.correction;
  return freedom > 0.0 ? sum / freedom : static_cast<double>(__builtin_nanf(""));
}

void store(const Reduction& op, const Call& call, int32_t i, size_t at, const Tally& tally,
           double variance) {
  const Tensor& out = *call.outs[i];
  void* const data = out.mutable_data_ptr();
  const ScalarType dtype = out.scalar_type();
  switch (op.gives[i]) {
    case Gives::kPlace:
      return store_int(data, dtype, at, tally.place);
    case Gives::kMean:
      return store_float(data, dtype, at,
                         static_cast<float>(tally.real / static_cast<double>(tally.count)));
    case Gives::kVariance:
      return store_float(data, dtype, at, static_cast<float>(variance));
    default:
      return call.computes_float && op.stores[i] != Stores::kBool
                 ? store_float(data, dtype, at, static_cast<float>(tally.real))
                 : store_int(data, dtype, at, tally.integer);
  }
}

void reduce(KernelRuntimeContext& ctx, Span<EValue*> arguments, const Reduction& op) {
  OpArgs args(ctx, arguments, op.op, 1 + strlen(op.arguments) + op.outs);
  Call call;
  read_call(args, op, call);
  if (!args.ok()) {
    return;
  }
  Axes<3> kept;
  Axes<1> reduced;
  const int64_t count = split(args, op, call, kept, reduced);
  if (!args.ok()) {
    return;
  }
  for (int64_t n = call.outs[0]->numel(); n > 0; --n, kept.next()) {
    const Tally tally = run(op, call, kept.offsets[0], reduced, count);
    const double spread =
        op.gives[0] == Gives::kVariance ? variance(call, kept.offsets[0], reduced, tally) : 0.0;
    for (int32_t i = 0; i < op.outs; ++i) {
      store(op, call, i, static_cast<size_t>(kept.offsets[1 + i]), tally, spread);
    }
  }
}

}  // namespace

void aten__sum_IntList_out(KernelRuntimeContext& ctx, Span<EValue*> args) {
  static constexpr Reduction kOp = {
      "aten::sum.IntList_out",      "Dky", sum_float, sum_int, {Gives::kValue, Gives::kValue},
      {Stores::kSum, Stores::kSum}, 1,     0,         false};
  reduce(ctx, args, kOp);
}

void aten__mean_out(KernelRuntimeContext& ctx, Span<EValue*> args) {
  static constexpr Reduction kOp = {"aten::mean.out",
                                    "Dky",
                                    sum_float,
                                    nullptr,
                                    {Gives::kMean, Gives::kValue},
                                    {Stores::kFloat, Stores::kFloat},
                                    1,
                                    0,
                                    false};
  reduce(ctx, args, kOp);
}

void aten__mean_dtype_out(KernelRuntimeContext& ctx, Span<EValue*> args) {
  static constexpr Reduction kOp = {
      "aten::mean.dtype_out",           "y", sum_float, nullptr, {Gives::kMean, Gives::kValue},
      {Stores::kFloat, Stores::kFloat}, 1,   0,         false};
  reduce(ctx, args, kOp);
}

void aten__prod_out(KernelRuntimeContext& ctx, Span<EValue*> args) {
  static constexpr Reduction kOp = {"aten::prod.out",
                                    "y",
                                    product_float,
                                    product_int,
                                    {Gives::kValue, Gives::kValue},
                                    {Stores::kSum, Stores::kSum},
                                    1,
                                    1,
                                    false};
  reduce(ctx, args, kOp);
}

void aten__prod_int_out(KernelRuntimeContext& ctx, Span<EValue*> args) {
  static constexpr Reduction kOp = {"aten::prod.int_out",
                                    "dky",
                                    product_float,
                                    product_int,
                                    {Gives::kValue, Gives::kValue},
                                    {Stores::kSum, Stores::kSum},
                                    1,
                                    1,
                                    false};
  reduce(ctx, args, kOp);
}

void aten__amax_out(KernelRuntimeContext& ctx, Span<EValue*> args) {
  static constexpr Reduction kOp = {"aten::amax.out",
                                    "Dk",
                                    extreme_float<true>,
                                    extreme_int<true>,
                                    {Gives::kValue, Gives::kValue},
                                    {Stores::kSame, Stores::kSame},
                                    1,
                                    0,
                                    true};
  reduce(ctx, args, kOp);
}

void aten__amin_out(KernelRuntimeContext& ctx, Span<EValue*> args) {
  static constexpr Reduction kOp = {"aten::amin.out",
                                    "Dk",
                                    extreme_float<false>,
                                    extreme_int<false>,
                                    {Gives::kValue, Gives::kValue},
                                    {Stores::kSame, Stores::kSame},
                                    1,
                                    0,
                                    true};
  reduce(ctx, args, kOp);
}

void aten__argmax_out(KernelRuntimeContext& ctx, Span<EValue*> args) {
  static constexpr Reduction kOp = {"aten::argmax.out",
                                    "ek",
                                    extreme_float<true>,
                                    extreme_int<true>,
                                    {Gives::kPlace, Gives::kValue},
                                    {Stores::kLong, Stores::kLong},
                                    1,
                                    0,
                                    true};
  reduce(ctx, args, kOp);
}

void aten__argmin_out(KernelRuntimeContext& ctx, Span<EValue*> args) {
  static constexpr Reduction kOp = {"aten::argmin.out",
                                    "ek",
                                    extreme_float<false>,
                                    extreme_int<false>,
                                    {Gives::kPlace, Gives::kValue},
                                    {Stores::kLong, Stores::kLong},
                                    1,
                                    0,
                                    true};
  reduce(ctx, args, kOp);
}

void aten__max_dim_max(KernelRuntimeContext& ctx, Span<EValue*> args) {
  static constexpr Reduction kOp = {"aten::max.dim_max",
                                    "dk",
                                    extreme_float<true>,
                                    extreme_int<true>,
                                    {Gives::kValue, Gives::kPlace},
                                    {Stores::kSame, Stores::kLong},
                                    2,
                                    0,
                                    true};
  reduce(ctx, args, kOp);
}

void aten__max_unary_out(KernelRuntimeContext& ctx, Span<EValue*> args) {
  static constexpr Reduction kOp = {"aten::max.unary_out",
                                    "",
                                    extreme_float<true>,
                                    extreme_int<true>,
                                    {Gives::kValue, Gives::kValue},
                                    {Stores::kSum, Stores::kSum},
                                    1,
                                    0,
                                    true};
  reduce(ctx, args, kOp);
}

void aten__min_dim_min(KernelRuntimeContext& ctx, Span<EValue*> args) {
  static constexpr Reduction kOp = {"aten::min.dim_min",
                                    "dk",
                                    extreme_float<false>,
                                    extreme_int<false>,
                                    {Gives::kValue, Gives::kPlace},
                                    {Stores::kSame, Stores::kLong},
                                    2,
                                    0,
                                    true};
  reduce(ctx, args, kOp);
}

void aten__min_unary_out(KernelRuntimeContext& ctx, Span<EValue*> args) {
  static constexpr Reduction kOp = {"aten::min.unary_out",
                                    "",
                                    extreme_float<false>,
                                    extreme_int<false>,
                                    {Gives::kValue, Gives::kValue},
                                    {Stores::kSum, Stores::kSum},
                                    1,
                                    0,
                                    true};
  reduce(ctx, args, kOp);
}

void aten__any_all_out(KernelRuntimeContext& ctx, Span<EValue*> args) {
  static constexpr Reduction kOp = {"aten::any.all_out",
                                    "",
                                    any_float,
                                    nullptr,
                                    {Gives::kValue, Gives::kValue},
                                    {Stores::kBool, Stores::kBool},
                                    1,
                                    0,
                                    false};
  reduce(ctx, args, kOp);
}

void aten__any_dims_out(KernelRuntimeContext& ctx, Span<EValue*> args) {
  static constexpr Reduction kOp = {
      "aten::any.dims_out",           "Dk", any_float, nullptr, {Gives::kValue, Gives::kValue},
      {Stores::kBool, Stores::kBool}, 1,    0,         false};
  reduce(ctx, args, kOp);
}

void aten__any_out(KernelRuntimeContext& ctx, Span<EValue*> args) {
  static constexpr Reduction kOp = {"aten::any.out",
                                    "dk",
                                    any_float,
                                    nullptr,
                                    {Gives::kValue, Gives::kValue},
                                    {Stores::kBool, Stores::kBool},
                                    1,
                                    0,
                                    false};
  reduce(ctx, args, kOp);
}

void aten__var_correction_out(KernelRuntimeContext& ctx, Span<EValue*> args) {
  static constexpr Reduction kOp = {"aten::var.correction_out",
                                    "Dck",
                                    sum_float,
                                    nullptr,
                                    {Gives::kVariance, Gives::kValue},
                                    {Stores::kFloat, Stores::kFloat},
                                    1,
                                    0,
                                    false};
  reduce(ctx, args, kOp);
}

void aten__var_out(KernelRuntimeContext& ctx, Span<EValue*> args) {
  static constexpr Reduction kOp = {"aten::var.out",
                                    "Duk",
                                    sum_float,
                                    nullptr,
                                    {Gives::kVariance, Gives::kValue},
                                    {Stores::kFloat, Stores::kFloat},
                                    1,
                                    0,
                                    false};
  reduce(ctx, args, kOp);
}

void aten__var_mean_correction_out(KernelRuntimeContext& ctx, Span<EValue*> args) {
  static constexpr Reduction kOp = {
      "aten::var_mean.correction_out",  "Dck", sum_float, nullptr, {Gives::kVariance, Gives::kMean},
      {Stores::kFloat, Stores::kFloat}, 2,     0,         false};
  reduce(ctx, args, kOp);
}

void aten__cumsum_out(KernelRuntimeContext& ctx, Span<EValue*> arguments) {
  OpArgs args(ctx, arguments, "aten::cumsum.out", 4);
  const Tensor* const self = args.tensor_of(0, kComputeDtypes);
  const Tensor* const out = args.tensor_of(3, kComputeDtypes);
  if (!args.ok()) {
    return;
  }
  const auto rank = static_cast<int32_t>(self->dim());
  const int32_t dim = args.dim(1, rank);
  const ScalarType to = out->scalar_type();
  const ScalarType dtype = args.optional_dtype(2, to, kComputeDtypes);
  if (!args.check(dtype == to && (to == ScalarType::Float || is_integral(self->scalar_type())),
                  "dtype") ||
      !args.resize_as(out, self) || out->numel() == 0) {
    return;
  }
  int32_t strides[2][kMaxDims] = {};
  element_strides(*self, strides[0]);
  element_strides(*out, strides[1]);
  Axes<2> lines;
  for (int32_t d = 0; d < rank; ++d) {
    if (d != dim) {
      lines.sizes[lines.rank] = sizes_of(*self)[d];
      lines.index[lines.rank] = 0;
      lines.strides[0][lines.rank] = strides[0][d];
      lines.strides[1][lines.rank++] = strides[1][d];
    }
  }
  const int32_t length = rank == 0 ? 1 : sizes_of(*self)[dim];
  for (int32_t line = static_cast<int32_t>(out->numel()) / length; line > 0; --line) {
    double real = 0.0;
    int64_t integer = 0;
    for (int32_t i = 0; i < length; ++i) {
      const auto from = static_cast<size_t>(lines.offsets[0] + i * strides[0][dim]);
      const auto at = static_cast<size_t>(lines.offsets[1] + i * strides[1][dim]);
      if (to == ScalarType::Float) {
        real += static_cast<double>(load_float(self->const_data_ptr(), self->scalar_type(), from));
        store_float(out->mutable_data_ptr(), to, at, static_cast<float>(real));
      } else {
        integer =
            wrapping_add(integer, load_int(self->const_data_ptr(), self->scalar_type(), from));
        store_int(out->mutable_data_ptr(), to, at, integer);
      }
    }
    lines.next();
  }
}

}  // namespace mcugen::ops
