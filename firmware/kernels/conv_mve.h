// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <kernels/loops_mve.h>

#include <cstdint>

/// What the convolution kernels for Helium share.

namespace mcugen {

/// @returns whether every shift is in kMinShift to -1, as the loops need.
bool shifts_right_mve(const int32_t* shifts, int32_t count);

/// @returns how to round towards an output.
MveRounding rounding_mve(int32_t output_zero_point, int32_t activation_min, int32_t activation_max);

}  // namespace mcugen
