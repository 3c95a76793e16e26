// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>

namespace mcugen {

/// requantize() in one rounding: the offset for which, with v = acc * 2^bits and a multiplier m,
///     (v * m / 2^32 + offset) >> (shift - 1)
/// is the result for v >= 0, with the zero point added, both divisions rounded down. Two nested
/// roundings to nearest collapse into the floor of (acc * m + 2^30 + 2^(30 + s)) / 2^(31 + s).
/// Of a negative v, 2^(bits - 1) has to be taken away before the shift.
/// @param[in] bits At least 2.
/// @param[in] shift bits + s, s that of requantize(), to the right; at most 24.
inline int32_t one_floor_offset(int32_t bits, int32_t shift, int32_t zero_point) {
  return (1 << (bits - 2)) + (1 << (shift - 2)) + zero_point * (1 << (shift - 1));
}

}  // namespace mcugen
