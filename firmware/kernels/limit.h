// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>

/// Minimum, maximum and clamp, over one run of `count` elements; steps as in elementwise_s8.h.

namespace mcugen {

/// output = the smaller of a and b. A NaN on either side gives NaN.
void minimum_s8_scalar(int32_t count, const int8_t* a, int32_t a_step, const int8_t* b,
                       int32_t b_step, int8_t* output);
void minimum_s32_scalar(int32_t count, const int32_t* a, int32_t a_step, const int32_t* b,
                        int32_t b_step, int32_t* output);
void minimum_f32_scalar(int32_t count, const float* a, int32_t a_step, const float* b,
                        int32_t b_step, float* output);

/// output = the larger of a and b. A NaN on either side gives NaN.
void maximum_s8_scalar(int32_t count, const int8_t* a, int32_t a_step, const int8_t* b,
                       int32_t b_step, int8_t* output);
void maximum_s32_scalar(int32_t count, const int32_t* a, int32_t a_step, const int32_t* b,
                        int32_t b_step, int32_t* output);
void maximum_f32_scalar(int32_t count, const float* a, int32_t a_step, const float* b,
                        int32_t b_step, float* output);

/// The same, four elements at a time. Takes the scalar form for steps other than 0 and 1.
void minimum_s8_dsp(int32_t count, const int8_t* a, int32_t a_step, const int8_t* b, int32_t b_step,
                    int8_t* output);
void maximum_s8_dsp(int32_t count, const int8_t* a, int32_t a_step, const int8_t* b, int32_t b_step,
                    int8_t* output);

/// The same by Helium. Takes the scalar form for steps other than 0 and 1.
void minimum_s8_mve(int32_t count, const int8_t* a, int32_t a_step, const int8_t* b, int32_t b_step,
                    int8_t* output);
void maximum_s8_mve(int32_t count, const int8_t* a, int32_t a_step, const int8_t* b, int32_t b_step,
                    int8_t* output);

/// As clamp_s8_scalar(); a NaN input stays NaN.
void clamp_f32_scalar(int32_t count, const float* input, float min, float max, float* output);

}  // namespace mcugen
