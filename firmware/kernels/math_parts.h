// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

/// What math_f32.cpp and trig_f32.cpp are made of. Their polynomials are Chebyshev interpolations
/// of the function named beside them, computed with 50 digits; "error" is the largest difference
/// from it on the interval. 1 ulp of a float is at least 6e-8 of its value.

namespace mcugen {

inline uint32_t bits_of(float x) {
  uint32_t bits;
  memcpy(&bits, &x, sizeof bits);
  return bits;
}

inline float float_of(uint32_t bits) {
  float x;
  memcpy(&x, &bits, sizeof x);
  return x;
}

/// @returns 2^k, -1022 <= k <= 1023.
inline double power_of_2(int32_t k) {
  const uint64_t bits = static_cast<uint64_t>(k + 1023) << 52;
  double x;
  memcpy(&x, &bits, sizeof x);
  return x;
}

inline bool is_nan(double x) { return x != x; }

/// Quiet, positive, and the same on every core, which 0 / 0 is not.
inline float nan() { return __builtin_nanf(""); }

inline double magnitude(double x) { return x < 0 ? -x : x; }

/// Double to float: rounds once, to nearest, subnormals and overflow included.
inline float to_float(double x) { return static_cast<float>(x); }

inline float with_sign_of(float magnitude, float sign) {
  return float_of((bits_of(magnitude) & 0x7fffffffu) | (bits_of(sign) & 0x80000000u));
}

/// @returns coefficients[0] + coefficients[1] * x + …; defined in math_f32.cpp.
double horner(const double* coefficients, size_t count, double x);

template <size_t N>
inline double polynomial(const double (&coefficients)[N], double x) {
  return horner(coefficients, N, x);
}

}  // namespace mcugen
