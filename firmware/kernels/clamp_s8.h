// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>

namespace mcugen {

/// output = min(max(input, min), max) of a run of `count` elements, as torch: with min > max
/// everything becomes max. The output may be the input.
void clamp_s8_scalar(int32_t count, const int8_t* input, int8_t min, int8_t max, int8_t* output);

/// The same, four elements at a time.
void clamp_s8_dsp(int32_t count, const int8_t* input, int8_t min, int8_t max, int8_t* output);

/// The same by Helium.
void clamp_s8_mve(int32_t count, const int8_t* input, int8_t min, int8_t max, int8_t* output);

}  // namespace mcugen
