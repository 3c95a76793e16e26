// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <ops/common/elements.h>
#include <ops/common/op_args.h>

namespace mcugen::ops {

/// What quantized_decomposed quantizes to.
constexpr uint32_t kQuantizedDtypes = dtype_bit(ScalarType::Byte) | dtype_bit(ScalarType::Char) |
                                      dtype_bit(ScalarType::Short) | dtype_bit(ScalarType::Int);
/// Types of a tensor of scales, or of zero points.
constexpr uint32_t kScaleDtypes = dtype_bit(ScalarType::Float) | dtype_bit(ScalarType::Double);
constexpr uint32_t kZeroPointDtypes = dtype_bit(ScalarType::Int) | dtype_bit(ScalarType::Long);

/// @returns element `index` of a tensor of kQuantizedDtypes.
int32_t load_quantized(const Tensor* tensor, int32_t index);
void store_quantized(const Tensor* tensor, int32_t index, int32_t value);
/// @returns element `index` of a tensor of kScaleDtypes.
double load_scale(const Tensor* tensor, int32_t index);
/// @returns element `index` of a tensor of kZeroPointDtypes, limited to int32.
int32_t load_zero_point(const Tensor* tensor, int32_t index);

/// @returns whether `scale` is finite.
bool is_finite(double scale);
/// @returns whether a scale can be divided by: 2^-126 to 2^126, so that it and its reciprocal are
///     normal floats.
bool is_divisor(double scale);

/// Limits of quantized values.
struct QuantRange {
  int32_t min, max;
};
/// Reads quant_min and quant_max, min <= max, both of type `dtype`.
QuantRange quant_range(OpArgs& args, size_t index, ScalarType dtype);

}  // namespace mcugen::ops
