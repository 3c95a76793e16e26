// SPDX-License-Identifier: BSD-3-Clause
#include <ops/common/axes.h>
#include <ops/reduce/reduction.h>

#include <cstring>

namespace mcugen::ops {
namespace {

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
  for (size_t i = 0; i < op.outs(); ++i) {
    call.outs[i] = args.tensor_of(1 + count + i, kComputeDtypes);
    if (args.ok()) {
      const ScalarType out = call.outs[i]->scalar_type();
      args.check((dtype == ScalarType::Undefined || dtype == out) &&
                     stores_right(op.out[i].stores,
                                  dtype != ScalarType::Undefined && op.out[i].stores == Stores::kSum
                                      ? dtype
                                      : input,
                                  out),
                 "dtype");
    }
  }
  if (args.ok()) {
    // A sum is taken in the type it is stored in: float elements are cut to integers one by one.
    const ScalarType computed =
        op.out[0].stores == Stores::kSum ? call.outs[0]->scalar_type() : input;
    call.computes_float = op.steps.in_int == nullptr || computed == ScalarType::Float;
  }
}

/// Splits the input's dimensions into those kept and those reduced, and gives the outputs their
/// shape. @returns elements per reduction.
int64_t split(OpArgs& args, const Reduction& op, const Call& call, Axes<3>& kept,
              Axes<1>& reduced) {
  const auto rank = static_cast<int32_t>(call.input->dim());
  const int32_t* const sizes = sizes_of(*call.input);
  int32_t strides[kMaxDims];
  strides_of(*call.input, strides);
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
  args.check(count != 0 || !op.steps.needs_one || call.outs[0]->numel() == 0,
             "shape: nothing to choose");
  for (size_t i = 0; i < op.outs(); ++i) {
    if (!args.resize(call.outs[i], shape, dims)) {
      return 0;
    }
    int32_t out_strides[kMaxDims];
    strides_of(*call.outs[i], out_strides);
    int32_t at = 0;
    for (int32_t d = 0, out_d = 0; d < rank; ++d) {
      const bool is_reduced = (call.mask >> d & 1u) != 0;
      if (!is_reduced) {
        kept.strides[1 + i][at++] = out_strides[out_d];
      }
      out_d += !is_reduced || call.keep ? 1 : 0;
    }
  }
  if (op.outs() == 1) {
    memset(kept.strides[2], 0, sizeof kept.strides[2]);
  }
  return count;
}

Tally run(const Reduction& op, const Call& call, int32_t offset, Axes<1>& reduced, int64_t count) {
  Tally tally = {static_cast<double>(op.steps.start), op.steps.start, 0, 0};
  const void* const data = call.input->const_data_ptr();
  const ScalarType dtype = call.input->scalar_type();
  for (; tally.count < count; ++tally.count, reduced.next()) {
    const auto at = static_cast<size_t>(offset + reduced.offsets[0]);
    if (call.computes_float) {
      op.steps.in_float(tally, load_float(data, dtype, at));
    } else {
      op.steps.in_int(tally, load_int(data, dtype, at));
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

void store(const Reduction& op, const Call& call, size_t i, size_t at, const Tally& tally,
           double variance) {
  const Tensor& out = *call.outs[i];
  void* const data = out.mutable_data_ptr();
  const ScalarType dtype = out.scalar_type();
  switch (op.out[i].gives) {
    case Gives::kPlace:
      return store_int(data, dtype, at, tally.place);
    case Gives::kMean:
      return store_float(data, dtype, at,
                         static_cast<float>(tally.real / static_cast<double>(tally.count)));
    case Gives::kVariance:
      return store_float(data, dtype, at, static_cast<float>(variance));
    default:
      return call.computes_float && op.out[i].stores != Stores::kBool
                 ? store_float(data, dtype, at, static_cast<float>(tally.real))
                 : store_int(data, dtype, at, tally.integer);
  }
}

}  // namespace

void reduce(KernelRuntimeContext& ctx, Span<EValue*> arguments, const Reduction& op) {
  OpArgs args(ctx, arguments, op.op, 1 + strlen(op.arguments) + op.outs());
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
        op.out[0].gives == Gives::kVariance ? variance(call, kept.offsets[0], reduced, tally) : 0.0;
    for (size_t i = 0; i < op.outs(); ++i) {
      store(op, call, i, static_cast<size_t>(kept.offsets[1 + i]), tally, spread);
    }
  }
}

}  // namespace mcugen::ops
