// SPDX-License-Identifier: BSD-3-Clause
#include <kernels/math_f32.h>
#include <kernels/math_parts.h>
#include <kernels/trig_f32.h>

namespace mcugen {
namespace {

constexpr double kHalfPi = 1.5707963267948966;

/// (arctan(s) / s - 1) / z with z = s^2 <= 0.1716; error 7e-13.
constexpr double kAtan[] = {-0.3333333333326612,  0.19999999949803657,  -0.14285708105034275,
                            0.11110819510978232,  -0.09084098143736691, 0.07604765196671427,
                            -0.06027147956365032, 0.03295394301044157};
/// (sin(s) / s - 1) / z and (cos(s) - 1) / z with z = s^2 <= (pi / 4)^2; errors 2e-17, 3e-16.
constexpr double kSin[] = {-0.16666666666666666,  0.008333333333330948,    -0.0001984126983675712,
                           2.755731610179909e-06, -2.5051131688000297e-08, 1.5918117983848815e-10};
constexpr double kCos[] = {-0.49999999999999967,  0.041666666666630915,    -0.0013888888882125775,
                           2.480158262222319e-05, -2.7555855276689675e-07, 2.0665487922841747e-09};
/// arctan of x >= 0.
double atan_of_positive(double x) {
  const bool inverted = x > 1.0;
  double t = inverted ? 1.0 / x : x;
  const bool turned = t > 0.4142135623730950;  // tan(pi / 8)
  if (turned) {
    t = (t - 1.0) / (t + 1.0);
  }
  const double z = t * t;
  double angle = t + t * z * polynomial(kAtan, z);
  if (turned) {
    angle += kHalfPi / 2.0;
  }
  return inverted ? kHalfPi - angle : angle;
}

/// The angle of (x, y), y >= 0, within [0, pi].
double angle_of(double y, double x) {
  const double run = magnitude(x);
  double angle;
  if (y == run) {  // both infinite, or both 0, too
    angle = y == 0.0 ? 0.0 : kHalfPi / 2.0;
  } else if (y < run) {
    angle = atan_of_positive(y / run);
  } else {
    angle = kHalfPi - atan_of_positive(run / y);
  }
  return x < 0.0 ? 2.0 * kHalfPi - angle : angle;
}

/// Reduces a finite x to r + quadrant * pi / 2, |r| <= pi / 4. @returns quadrant, modulo 4.
uint32_t reduce_angle(float x, double& r) {
  // x = mantissa * 2^exponent times a 96-bit window of 2 / pi's binary digits, in fixed point with
  // 62 digits after the point. Digits before the window make multiples of 4 quadrants, those behind
  // it less than 2^-68. No float is closer than 2^-31 to a multiple of pi / 2, so that at least 31
  // digits of the remainder are right.
  static constexpr uint32_t kTwoOverPi[] = {0xa2f9836eu, 0x4e441529u, 0xfc2757d1u, 0xf534ddc0u,
                                            0xdb629599u, 0x3c439041u, 0xfe5163abu, 0xdebbc561u};
  const double value = static_cast<double>(x);
  if (magnitude(value) <= kHalfPi / 2.0) {
    r = value;
    return 0;
  }
  const uint32_t bits = bits_of(x);
  const int32_t exponent = static_cast<int32_t>(bits >> 23 & 0xffu) - 150;
  const uint32_t mantissa = (bits & 0x7fffffu) | 0x800000u;
  const uint32_t skipped = exponent > 2 ? static_cast<uint32_t>(exponent) - 2u : 0u;
  uint32_t window[3];
  for (uint32_t i = 0; i < 3; ++i) {
    const uint32_t* const word = kTwoOverPi + skipped / 32 + i;
    const uint64_t pair = static_cast<uint64_t>(word[0]) << 32 | word[1];
    window[i] = static_cast<uint32_t>(pair << (skipped % 32) >> 32);
  }
  const uint64_t low = static_cast<uint64_t>(window[2]) * mantissa;
  const uint64_t middle = static_cast<uint64_t>(window[1]) * mantissa + (low >> 32);
  const uint64_t high = static_cast<uint64_t>(window[0]) * mantissa + (middle >> 32);
  // (high, low word of middle) counts 2^(exponent - skipped - 64) quadrants.
  const uint32_t down = exponent > 2 ? 0u : static_cast<uint32_t>(2 - exponent);
  const uint64_t turns = high << (32 - down) | static_cast<uint32_t>(middle) >> down;
  const uint64_t quadrant = (turns + (uint64_t{1} << 61)) >> 62;
  const int64_t rest = static_cast<int64_t>(turns - (quadrant << 62));
  const double part = static_cast<double>(rest) * power_of_2(-62) * kHalfPi;
  const bool negative = bits >> 31 != 0;
  r = negative ? -part : part;
  return static_cast<uint32_t>(negative ? 0u - static_cast<uint32_t>(quadrant)
                                        : static_cast<uint32_t>(quadrant)) &
         3u;
}

double sin_near_0(double r) { return r + r * (r * r) * polynomial(kSin, r * r); }

double cos_near_0(double r) { return 1.0 + r * r * polynomial(kCos, r * r); }

/// sin(x + turns * pi / 2)
float sine(float x, uint32_t turns) {
  if (!(magnitude(static_cast<double>(x)) < __builtin_inf())) {
    return nan();
  }
  double r;
  const uint32_t quadrant = reduce_angle(x, r) + turns;
  const double value = (quadrant & 1u) != 0 ? cos_near_0(r) : sin_near_0(r);
  return to_float((quadrant & 2u) != 0 ? -value : value);
}

}  // namespace

float sin_f32(float x) { return x == 0.0f ? x : sine(x, 0); }

float cos_f32(float x) { return sine(x, 1); }

float tan_f32(float x) {
  if (x == 0.0f) {
    return x;
  }
  if (!(magnitude(static_cast<double>(x)) < __builtin_inf())) {
    return nan();
  }
  double r;
  const uint32_t quadrant = reduce_angle(x, r);
  const double sine = sin_near_0(r);
  const double cosine = cos_near_0(r);
  return to_float((quadrant & 1u) != 0 ? -cosine / sine : sine / cosine);
}

float asin_f32(float x) {
  const double a = magnitude(static_cast<double>(x));
  if (!(a <= 1.0)) {
    return nan();
  }
  return with_sign_of(to_float(angle_of(a, sqrt_f64((1.0 - a) * (1.0 + a)))), x);
}

float acos_f32(float x) {
  const double value = static_cast<double>(x);
  if (!(magnitude(value) <= 1.0)) {
    return nan();
  }
  return to_float(angle_of(sqrt_f64((1.0 - value) * (1.0 + value)), value));
}

float atan_f32(float x) {
  return x != x ? nan()
                : with_sign_of(to_float(atan_of_positive(magnitude(static_cast<double>(x)))), x);
}

float atan2_f32(float y, float x) {
  if (x != x || y != y) {
    return nan();
  }
  if (y == 0.0f) {  // the sign of x counts, of zero too
    return with_sign_of(bits_of(x) >> 31 != 0 ? to_float(2.0 * kHalfPi) : 0.0f, y);
  }
  return with_sign_of(to_float(angle_of(magnitude(static_cast<double>(y)), static_cast<double>(x))),
                      y);
}

}  // namespace mcugen
