// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <cstring>

/// The one place where rounding lives. Every kernel rescales and rounds through these functions.
///
/// A real scale factor is held as a Q31 `multiplier` and a `shift` (positive shifts left):
/// real = multiplier * 2^(shift - 31). Results equal `requantize_cmsis` of ExecuTorch's Python
/// reference bit for bit, including where that wraps.

namespace mcugen {

/// Range of `shift`. Below -31 every result is 0; the exporter produces such shifts for channels
/// whose weights are (nearly) all zero.
constexpr int32_t kMinShift = -62;
constexpr int32_t kMaxShift = 30;

/// @returns a + b modulo 2^32, as the reference's int32 tensors do.
inline int32_t wrapping_add(int32_t a, int32_t b) {
  return static_cast<int32_t>(static_cast<uint32_t>(a) + static_cast<uint32_t>(b));
}

/// @returns a - b modulo 2^32.
inline int32_t wrapping_sub(int32_t a, int32_t b) {
  return static_cast<int32_t>(static_cast<uint32_t>(a) - static_cast<uint32_t>(b));
}

/// @returns a * b modulo 2^32.
inline int32_t wrapping_mul(int32_t a, int32_t b) {
  return static_cast<int32_t>(static_cast<uint32_t>(a) * static_cast<uint32_t>(b));
}

/// @returns a * b / 2^31 rounded to nearest, halves up, by products of 16 bits: for cores whose
///     product has 32 bits. As doubling_high_mul().
inline int32_t doubling_high_mul_by_halves(int32_t a, int32_t b) {
  const int32_t a_low = a & 0xffff;
  const int32_t a_high = a >> 16;
  const int32_t b_low = b & 0xffff;
  const int32_t b_high = b >> 16;
  const uint32_t low = static_cast<uint32_t>(a_low) * static_cast<uint32_t>(b_low);
  // Neither sum overflows: 0xffff * 0x7fff + 0xffff < 2^31.
  const int32_t middle = a_high * b_low + static_cast<int32_t>(low >> 16);
  const int32_t upper = a_low * b_high + (middle & 0xffff);
  const int32_t high = a_high * b_high + (middle >> 16) + (upper >> 16);
  return 2 * high + ((((upper >> 14) & 3) + 1) >> 1);
}

/// @returns a * b / 2^31 rounded to nearest, halves up.
/// @param[in] b Not INT32_MIN, or a is not: then the result fits, and is never INT32_MIN.
inline int32_t doubling_high_mul(int32_t a, int32_t b) {
#if defined(__ARM_ARCH_ISA_THUMB) && __ARM_ARCH_ISA_THUMB < 2
  return doubling_high_mul_by_halves(a, b);
#elif defined(__ARM_ARCH_ISA_THUMB)
  // Twice the upper half, bit 31 of the lower one, and bit 30 as the carry: GCC needs five.
  int32_t low;
  int32_t high;
  asm("smull %0, %1, %2, %3\n\tlsrs %0, %0, #31\n\tadc %0, %0, %1, lsl #1"
      : "=r"(low), "=r"(high)
      : "r"(a), "r"(b)
      : "cc");
  return low;
#else
  return static_cast<int32_t>((static_cast<int64_t>(a) * b + (1 << 30)) >> 31);
#endif
}

/// @returns value / 2^shift rounded to nearest, halves away from zero.
/// @param[in] value Not INT32_MIN.
/// @param[in] shift 0 to 31.
inline int32_t rounding_shift_right(int32_t value, int32_t shift) {
  if (shift == 0) {
    return value;
  }
  // One bit more than wanted, then round on it: adding the half first could overflow.
  const int32_t twice = (value + (value >> 31)) >> (shift - 1);
  return (twice >> 1) + (twice & 1);
}

/// The part of requantize() for positive shifts, which int8 networks rarely have: 64 bits,
/// wrapping.
__attribute__((noinline)) inline int32_t requantize_left(int32_t value, int32_t multiplier,
                                                         int32_t shift) {
  const uint64_t wide = static_cast<uint64_t>(static_cast<int64_t>(value)) << shift;
  const uint64_t product = wide * static_cast<uint64_t>(static_cast<int64_t>(multiplier));
  return static_cast<int32_t>(static_cast<int64_t>(product + (1u << 30)) >> 31);
}

/// @returns value * multiplier * 2^(shift - 31): the product rounded to nearest with halves up,
///     then the right shift rounded to nearest with halves away from zero.
/// @param[in] multiplier Not INT32_MIN.
/// @param[in] shift kMinShift to kMaxShift.
inline int32_t requantize(int32_t value, int32_t multiplier, int32_t shift) {
  if (shift > 0) {
    return requantize_left(value, multiplier, shift);
  }
  if (shift < -31) {
    return 0;  // |product| < 2^31, and half of the divisor is at least that
  }
  return rounding_shift_right(doubling_high_mul(value, multiplier), -shift);
}

/// @returns value limited to [min, max]; needs min <= max.
inline int32_t clamp(int32_t value, int32_t min, int32_t max) {
  return value < min ? min : value > max ? max : value;
}

/// @returns `value` rounded to nearest, halves to even, as torch.round.
/// @param[in] value |value| <= 2^22; not NaN.
inline int32_t round_half_even(float value) {
  // 1.5 * 2^23: adding it leaves no bits for the fraction, so the addition rounds, and the integer
  // is in the low bits. Needs no libm, with or without an FPU.
  const float sum = value + 12582912.0f;
  int32_t bits;
  memcpy(&bits, &sum, sizeof bits);
  return bits - 0x4B400000;
}

}  // namespace mcugen
