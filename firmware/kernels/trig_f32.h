// SPDX-License-Identifier: BSD-3-Clause
#pragma once

/// The functions of angles, with all that math_f32.h says of its functions.

namespace mcugen {

/// Angles of any size, reduced exactly.
float sin_f32(float x);
float cos_f32(float x);
float tan_f32(float x);
float asin_f32(float x);
float acos_f32(float x);
float atan_f32(float x);
float atan2_f32(float y, float x);

}  // namespace mcugen
