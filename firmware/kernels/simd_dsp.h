// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <cstring>

/// Four int8 in a word, for cores with the DSP extension.

namespace mcugen {

/// @returns the four bytes at any address.
inline uint32_t load_four(const int8_t* at) {
  uint32_t four;
  memcpy(&four, at, sizeof four);
  return four;
}

inline void store_four(int8_t* at, uint32_t four) { memcpy(at, &four, sizeof four); }

/// @returns four times `value`.
inline uint32_t four_of(int32_t value) { return 0x01010101u * static_cast<uint8_t>(value); }

/// @returns the larger of each pair of bytes.
inline uint32_t larger_four(uint32_t a, uint32_t b) {
  uint32_t difference;  // sets a flag for each byte of a that is not less
  asm("ssub8 %1, %0, %2\n\tsel %0, %0, %2" : "+r"(a), "=&r"(difference) : "r"(b) : "cc");
  return a;
}

/// @returns the smaller of each pair of bytes.
inline uint32_t smaller_four(uint32_t a, uint32_t b) {
  uint32_t difference;
  asm("ssub8 %1, %0, %2\n\tsel %0, %2, %0" : "+r"(a), "=&r"(difference) : "r"(b) : "cc");
  return a;
}

/// @returns bytes 0 and 2, each added to the half of `to` that it stands in.
inline uint32_t add_even(uint32_t to, uint32_t four) {
  uint32_t result;
  asm("sxtab16 %0, %1, %2" : "=r"(result) : "r"(to), "r"(four));
  return result;
}

/// @returns the same of bytes 1 and 3.
inline uint32_t add_odd(uint32_t to, uint32_t four) {
  uint32_t result;
  asm("sxtab16 %0, %1, %2, ror #8" : "=r"(result) : "r"(to), "r"(four));
  return result;
}

/// @returns bytes 0 and 2 as halves.
inline uint32_t even(uint32_t four) {
  uint32_t result;
  asm("sxtb16 %0, %1" : "=r"(result) : "r"(four));
  return result;
}

/// @returns bytes 1 and 3 as halves.
inline uint32_t odd(uint32_t four) {
  uint32_t result;
  asm("sxtb16 %0, %1, ror #8" : "=r"(result) : "r"(four));
  return result;
}

/// @returns the products of the halves of two words, and `sum`; wraps at 32 bits.
inline int32_t dot(uint32_t a, uint32_t b, int32_t sum) {
  int32_t result;
  asm("smlad %0, %1, %2, %3" : "=r"(result) : "r"(a), "r"(b), "r"(sum) : "cc");
  return result;
}

}  // namespace mcugen
