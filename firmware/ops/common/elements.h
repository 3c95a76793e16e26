// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <executorch/runtime/core/exec_aten/exec_aten.h>

#include <cstddef>
#include <cstdint>

/// Elements of any type, one at a time. Operators that are not worth a loop per type compute in
/// float or in int64 and convert here, where the only switches over types are.

namespace mcugen::ops {

using executorch::aten::ScalarType;

/// Sets of element types, for OpArgs::tensor_of().
constexpr uint32_t dtype_bit(ScalarType dtype) { return 1u << static_cast<uint32_t>(dtype); }
constexpr uint32_t kFloatDtypes = dtype_bit(ScalarType::Float);
constexpr uint32_t kBoolDtypes = dtype_bit(ScalarType::Bool);
constexpr uint32_t kIntDtypes = dtype_bit(ScalarType::Byte) | dtype_bit(ScalarType::Char) |
                                dtype_bit(ScalarType::Int) | dtype_bit(ScalarType::Long);
/// All that can be computed with: what the functions below take.
constexpr uint32_t kComputeDtypes = kFloatDtypes | kIntDtypes | kBoolDtypes;
/// All that can be copied.
constexpr uint32_t kCopyDtypes = kComputeDtypes | dtype_bit(ScalarType::Short) |
                                 dtype_bit(ScalarType::Half) | dtype_bit(ScalarType::Double);

/// @returns whether `dtype` is in the set `dtypes`.
constexpr bool is_one_of(ScalarType dtype, uint32_t dtypes) {
  return static_cast<uint32_t>(dtype) < 32 && (dtypes >> static_cast<uint32_t>(dtype) & 1u) != 0;
}

/// @returns the bytes of one element of a type of kCopyDtypes, else 0.
size_t element_bytes(ScalarType dtype);

/// @returns whether `dtype` is one of int8, uint8, int32, int64 or bool.
constexpr bool is_integral(ScalarType dtype) { return is_one_of(dtype, kIntDtypes | kBoolDtypes); }

/// @returns the type that torch computes two such operands in; both of kComputeDtypes.
ScalarType promote(ScalarType a, ScalarType b);

/// @returns element `index` of `data`, whose type is `dtype`, of kComputeDtypes. load_int() of a
///     float is float_to_int() of it.
float load_float(const void* data, ScalarType dtype, size_t index);
int64_t load_int(const void* data, ScalarType dtype, size_t index);

/// Writes element `index`. An integer wraps into narrower types; a float goes through
/// float_to_int(), a NaN into a float element as the one NaN 0x7fc00000, so that the bytes do not
/// depend on the CPU; bool is whether the value differs from zero.
void store_float(void* data, ScalarType dtype, size_t index, float value);
void store_int(void* data, ScalarType dtype, size_t index, int64_t value);

/// @returns `value` truncated towards zero, limited to what int64 holds; 0 for NaN.
int64_t float_to_int(double value);
/// @returns `value` as an element of `dtype`, of an integer type or bool, holds it.
int64_t wrap_int(int64_t value, ScalarType dtype);

/// @returns whether an operator that computes in `computed` may write to a tensor of type `out`.
bool may_store(ScalarType computed, ScalarType out);

/// Arithmetic that wraps, where C++ would leave overflow undefined.
inline int64_t wrapping_add(int64_t a, int64_t b) {
  return static_cast<int64_t>(static_cast<uint64_t>(a) + static_cast<uint64_t>(b));
}
inline int64_t wrapping_sub(int64_t a, int64_t b) {
  return static_cast<int64_t>(static_cast<uint64_t>(a) - static_cast<uint64_t>(b));
}
inline int64_t wrapping_mul(int64_t a, int64_t b) {
  return static_cast<int64_t>(static_cast<uint64_t>(a) * static_cast<uint64_t>(b));
}

}  // namespace mcugen::ops
