// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>

namespace mcugen {

/// The second rounding of requantize() by SMMLSR, which adds half and takes the upper word: of
/// zero_point * 2^32 - value * factor, where value is one less if it is negative.
/// @param[in] shift Of requantize(), to the right; at least 1. Above 31 every result is 0, and so
///     is the factor.
inline int32_t second_rounding_factor(int32_t shift) {
  return shift > 31 ? 0 : static_cast<int32_t>(0u - (1u << (32 - shift)));
}

}  // namespace mcugen
