// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>

namespace mcugen {

struct ScaledAddS8Params {
  int32_t a_multiplier, b_multiplier;
  int32_t offset;
  int32_t shift;  ///< [0, 31]
  int32_t activation_min, activation_max;
};

/// output = clamp(saturate8((a * a_multiplier + b * b_multiplier + offset) >> shift)), wrapping at
/// 32 bits: add_s8 of two whole tensors, where the generator has found numbers that give the same
/// bytes.
///
/// @param[out] output int8[count]; may be a or b.
void scaled_add_s8_scalar(const ScaledAddS8Params& params, int32_t count, const int8_t* a,
                          const int8_t* b, int8_t* output);

/// The same, four elements at a time.
void scaled_add_s8_dsp(const ScaledAddS8Params& params, int32_t count, const int8_t* a,
                       const int8_t* b, int8_t* output);
void scaled_add_s8_mve(const ScaledAddS8Params& params, int32_t count, const int8_t* a,
                       const int8_t* b, int8_t* output);

}  // namespace mcugen
