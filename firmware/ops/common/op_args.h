// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <executorch/runtime/core/evalue.h>
#include <executorch/runtime/core/span.h>
#include <executorch/runtime/kernel/kernel_runtime_context.h>
#include <kernels/scratch.h>
#include <ops/common/elements.h>
#include <ops/common/layout.h>

#include <cstddef>
#include <cstdint>
#include <optional>

/// What operators share: reading and checking arguments. A `.pte` is never trusted, so every
/// argument is checked before anything is computed or written.

namespace mcugen::ops {

using executorch::aten::ArrayRef;
using executorch::runtime::EValue;
using executorch::runtime::KernelRuntimeContext;
using executorch::runtime::Span;

/// Most dimensions a tensor may have here. ExecuTorch allows 16; int8 networks use up to 5.
constexpr int32_t kMaxDims = 8;

/// Whether arguments are checked. Not in a generated project whose calls the generator has checked
/// (generator/mcugen/program/checked_calls.py): the program is built in, and never another.
#ifndef MCUGEN_CHECK_CALLS
#define MCUGEN_CHECK_CALLS 1
#endif
constexpr bool kCheckCalls = MCUGEN_CHECK_CALLS;

/// Largest stride, padding, dilation, kernel side or pooling window; keeps index arithmetic, such
/// as dilation * (kernel - 1), inside 32 bits.
constexpr int32_t kMaxWindow = 32767;

/// Largest extent of an image.
constexpr int32_t kMaxExtent = 1 << 24;

/// Sizes of an image in memory order.
struct Nhwc {
  int32_t n, h, w, c;
};

/// How an operator's four dimensions are meant.
enum class Layout : uint8_t {
  kDimOrder,  ///< Sizes are N, C, H, W and the dim order says that memory is N, H, W, C.
  kNhwc,      ///< Sizes are N, H, W, C: the explicit-layout (`_nhwc`) operators.
};

/// A `Scalar` argument, in both forms.
struct Number {
  ScalarType dtype;  ///< Bool, Long or Float: how the program wrote it
  double real;
  int64_t integer;  ///< real ones by float_to_int()
};

/// One operator call's arguments. The getters check; the first failure is logged in one line and
/// handed to the context, and from then on ok() is false and values read are meaningless.
class OpArgs {
 public:
  /// @param[in] op Full name, for log lines. Written as in the operator table, so that the linker
  ///     keeps one string for both.
  /// @param[in] count Arguments of the schema, including `out`. The exporter appends the return
  ///     value, which is `out` again.
  OpArgs(KernelRuntimeContext& ctx, Span<EValue*> args, const char* op, size_t count);

  bool ok() const { return !kCheckCalls || ok_; }

  /// Fails with `what`, which completes the sentence "<op>: bad …", unless `condition` holds.
  /// @returns whether everything is well so far.
  bool check(bool condition, const char* what) { return !kCheckCalls || demand(condition, what); }

  /// A tensor of the given type, with data, aligned for it, at most kMaxDims dimensions and a dim
  /// order that is a permutation. @returns null after a failure.
  const Tensor* tensor(size_t index, ScalarType dtype);
  /// The same, of any type whose elements have 1, 2, 4 or 8 bytes.
  const Tensor* tensor(size_t index);
  /// The same, or null where the argument is None.
  const Tensor* optional_tensor(size_t index, ScalarType dtype);

  /// The same, of any type of the set `dtypes`, made of dtype_bit()s.
  const Tensor* tensor_of(size_t index, uint32_t dtypes);
  const Tensor* optional_tensor_of(size_t index, uint32_t dtypes);
  /// The tensors of a `Tensor[]`, each checked like tensor_of(); empty after a failure.
  ArrayRef<Tensor> tensors(size_t index, uint32_t dtypes);
  /// The same of a `Tensor?[]`.
  ArrayRef<std::optional<Tensor>> optional_tensors(size_t index, uint32_t dtypes);

  /// @returns the memory of a tensor that is there to be written over, of any type and size, from
  ///     its first 8-byte boundary on; none where it overlaps with another argument.
  /// @param[in] operand One that it may overlap with, if that begins `before` bytes in or later.
  Scratch scratch(size_t index, size_t operand = SIZE_MAX, size_t before = 0);

  /// @returns the int32 data of an optional tensor of exactly `count` elements, or null for None.
  const int32_t* optional_s32(size_t index, int32_t count);

  bool is_none(size_t index) const;
  /// @returns an int within [min, max].
  int32_t integer(size_t index, int32_t min, int32_t max);
  /// @returns an int, or the nearest int32.
  int32_t saturated_integer(size_t index);
  bool boolean(size_t index);
  /// @returns a number given as double, int or bool.
  double number(size_t index);
  /// @returns an int of any size.
  int64_t int64(size_t index);
  int64_t optional_int64(size_t index, int64_t otherwise);
  double optional_number(size_t index, double otherwise);
  bool optional_boolean(size_t index, bool otherwise);
  /// @returns which of `count` words a string is.
  size_t choice(size_t index, const char* const* words, size_t count);
  /// @returns a number with the type it was written as.
  Number scalar(size_t index);
  /// @returns an optional element type of the set `dtypes`, `otherwise` for None.
  ScalarType optional_dtype(size_t index, ScalarType otherwise, uint32_t dtypes);
  /// @returns an int that names one of `rank` dimensions, negative ones counted from the end, as
  ///     0 … rank - 1. A tensor of rank 0 is taken as one of rank 1.
  int32_t dim(size_t index, int32_t rank);
  /// @returns the dimensions that an int[]? names, each once, as bits; all for None and for [].
  uint32_t dims(size_t index, int32_t rank);
  /// @returns an int[], in the method's memory, with exactly `count` entries (any for -1).
  ArrayRef<int64_t> ints(size_t index, int32_t count);
  /// The same of any length, empty for None.
  ArrayRef<int64_t> optional_ints(size_t index);
  /// Reads an int[] of one or two entries, each within [min, max], as height and width.
  void pair(size_t index, int32_t min, int32_t max, int32_t& first, int32_t& second);

  /// Reads a multiplier and, after it, a shift.
  void scaling(size_t index, int32_t& multiplier, int32_t& shift);
  /// Reads a fused clamp's limits, min <= max, both in int8.
  void activation(size_t min_index, size_t max_index, int32_t& min, int32_t& max);
  /// Reads two int32[count] tensors of multipliers and shifts, and checks every entry.
  void channel_scaling(size_t index, int32_t count, const int32_t*& multipliers,
                       const int32_t*& shifts);
  /// @returns whether a multiplier and shift are in the range requantize() takes.
  static bool scaling_in_range(int64_t multiplier, int64_t shift);

  /// The sizes of a 4-D image, each at least 1, that lies in memory as N, H, W, C.
  Nhwc image(const Tensor* tensor, Layout layout);
  /// Gives `out` the shape that the operator computes. Its memory bounds what it can become, so
  /// call this after all other checks: it is the first thing that is written. Fails ("bad output
  /// shape") where `out` cannot have that shape.
  bool resize(const Tensor* out, const int32_t* sizes, int32_t dims);
  /// The same, with the shape of `like`.
  bool resize_as(const Tensor* out, const Tensor* like);
  /// Checks that `tensor` lies in memory in the order of its dimensions.
  void contiguous(const Tensor* tensor);
  /// Checks that argument `index` is None or an order in which `out` lies: `out` knows its own, and
  /// where dimensions of size 1 are in either may differ.
  void repeats_order(size_t index, const Tensor* out);
  /// Checks that two tensors have the same shape and lie in memory in the same order.
  void alike(const Tensor* a, const Tensor* b);

 private:
  bool demand(bool condition, const char* what);
  EValue* value(size_t index);
  bool tensor_ok(size_t index, const Tensor& tensor, uint32_t dtypes);
  bool fail(size_t index, const char* what) { return !kCheckCalls || refuse(index, what); }
  bool refuse(size_t index, const char* what);

  KernelRuntimeContext& ctx_;
  Span<EValue*> args_;
  const char* op_;
  bool ok_ = true;
};

}  // namespace mcugen::ops
