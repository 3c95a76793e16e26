// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>

namespace mcugen {

/// Long division, one bit at a time: 60 bytes of code where the compiler's 64-bit division takes
/// 840, and some 500 clocks. For numbers that are printed.
/// @param[in,out] value The dividend; becomes the quotient.
/// @param[in] divisor 1 to 2^31.
/// @returns the remainder.
__attribute__((noinline)) inline uint32_t divide_in_place(uint64_t* value, uint32_t divisor) {
  uint32_t high = static_cast<uint32_t>(*value >> 32);
  uint32_t low = static_cast<uint32_t>(*value);
  uint32_t rest = 0;
  // `rest` is below the divisor, so doubling it cannot overflow. Quotient bits take the places
  // that the dividend's bits leave.
  for (int bit = 0; bit < 64; ++bit) {
    rest = rest << 1 | high >> 31;
    high = high << 1 | low >> 31;
    low <<= 1;
    if (rest >= divisor) {
      rest -= divisor;
      low |= 1;
    }
  }
  *value = static_cast<uint64_t>(high) << 32 | low;
  return rest;
}

}  // namespace mcugen
