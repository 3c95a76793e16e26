// SPDX-License-Identifier: BSD-3-Clause
#include <kernels/math_f32.h>
#include <kernels/math_parts.h>

#include <cstddef>
#include <cstdint>
#include <cstring>

namespace mcugen {
namespace {

constexpr double kLog2Hi = 0.6931471803691238;       // 32 bits of ln 2: a product with |k| < 2^20
constexpr double kLog2Lo = 1.9082149292705877e-10;   // is exact; and the rest
constexpr double kInverseLog2 = 1.4426950408889634;  // 1 / ln 2
constexpr double kInverseLog10 = 0.4342944819032518;

/// (e^r - 1 - r) / r^2 for |r| <= ln 2 / 2; error 7e-15.
constexpr double kExp[] = {0.5,
                           0.1666666666664829,
                           0.04166666666665136,
                           0.008333333353729397,
                           0.0013888888905881542,
                           0.00019841208732536384,
                           2.4801536388690766e-05,
                           2.762511557828763e-06,
                           2.761380686153829e-07};
/// (2 artanh(s) / s - 2) / z with z = s^2 <= 0.02945; error 3e-16.
constexpr double kLog[] = {0.666666666666667,  0.3999999999989924,  0.2857142862609589,
                           0.2222221111514416, 0.18182890556695602, 0.1533167403016786,
                           0.1461703754879165};
/// erf(s) / s with z = s^2 <= 1; error 8e-13.
constexpr double kErf0[] = {1.1283791670946768,    -0.3761263888963531,     0.11283791308604582,
                            -0.026866133235095593, 0.005223783477189248,    -0.0008542637997087229,
                            0.0001195656256820733, -1.3909340021874599e-05, 1.058938064107502e-06};
/// erf(t + i + 1/2) for |t| <= 1/2, i = 1, 2, 3; error 1.3e-10.
constexpr double kErf[3][11] = {
    {0.9661051464753108, 0.11893028668537337, -0.1783954331173611, 0.13875220734636193,
     -0.04459891604260643, -0.014870850035494711, 0.019327469787536165, -0.004701123304762335,
     -0.0023746896185506293, 0.0015403398415509417, -4.358005143310254e-05},
    {0.999593047982555, 0.0021782843160723674, -0.005445710721739759, 0.0083500827367596,
     -0.008622363406719045, 0.006117498244871089, -0.0027987517825773045, 0.0005410861644684099,
     0.00026306536783610705, -0.0002454109716899113, 6.919432339809898e-05},
    {0.9999992569016276, 5.399429253230977e-06, -1.889798842650431e-05, 4.2295308495072174e-05,
     -6.771823347368966e-05, 8.212097439732274e-05, -7.773483155936456e-05, 5.814646631988538e-05,
     -3.434428574713574e-05, 1.5545286458090553e-05, -4.30906695760271e-06}};

/// e^x - 1 for |x| <= ln 2 / 2.
double expm1_near_0(double r) { return r + r * r * polynomial(kExp, r); }

double expm1_f64(double x) { return magnitude(x) < 0.34 ? expm1_near_0(x) : exp_f64(x) - 1.0; }

/// log(1 + x) for x > -1.
double log1p_f64(double x) {
  // 1 + x loses what x has below 2^-53; where that matters, the series needs four terms.
  if (magnitude(x) < 1e-5) {
    return x - x * x * (0.5 - x * (1.0 / 3.0 - x * 0.25));
  }
  return log_f64(1.0 + x);
}

/// A finite, nonzero |x| as mantissa * 2^exponent; one with the larger exponent is the larger one.
struct Parts {
  uint32_t mantissa;
  int32_t exponent;
};

Parts parts_of(float x) {
  const uint32_t bits = bits_of(x) & 0x7fffffffu;
  if (bits < 0x800000u) {
    return {bits, -149};
  }
  return {(bits & 0x7fffffu) | 0x800000u, static_cast<int32_t>(bits >> 23) - 150};
}

bool is_odd_integer(float x) {
  const Parts parts = parts_of(x);
  if (parts.exponent > 0 || parts.exponent < -23) {
    return parts.exponent == 0 && (parts.mantissa & 1u) != 0;
  }
  const uint32_t below = (1u << -parts.exponent) - 1u;
  return (parts.mantissa & below) == 0 && (parts.mantissa >> -parts.exponent & 1u) != 0;
}

}  // namespace

double horner(const double* coefficients, size_t count, double x) {
  double sum = coefficients[count - 1];
  for (size_t i = count - 1; i-- > 0;) {
    sum = sum * x + coefficients[i];
  }
  return sum;
}

double exp_f64(double x) {
  if (is_nan(x)) {
    return x;
  }
  if (x > 709.7) {
    return __builtin_inf();
  }
  if (x < -708.0) {
    return 0.0;
  }
  const double scaled = x * kInverseLog2;
  const auto k = static_cast<int32_t>(scaled < 0 ? scaled - 0.5 : scaled + 0.5);
  const double n = static_cast<double>(k);
  return power_of_2(k) * (1.0 + expm1_near_0(x - n * kLog2Hi - n * kLog2Lo));
}

double log_f64(double x) {
  if (x == __builtin_inf()) {
    return x;
  }
  uint64_t bits;
  memcpy(&bits, &x, sizeof bits);
  // m = x / 2^k within [sqrt(1/2), sqrt(2)), compared by the upper word of its bits
  uint32_t upper = static_cast<uint32_t>(bits >> 32);
  upper += 0x3ff00000u - 0x3fe6a09eu;
  const int32_t k = static_cast<int32_t>(upper >> 20) - 1023;
  upper = (upper & 0xfffffu) + 0x3fe6a09eu;
  bits = static_cast<uint64_t>(upper) << 32 | static_cast<uint32_t>(bits);
  double m;
  memcpy(&m, &bits, sizeof m);
  const double s = (m - 1.0) / (m + 1.0);
  const double z = s * s;
  const double log_m = 2.0 * s + s * z * polynomial(kLog, z);
  const double n = static_cast<double>(k);
  return n * kLog2Hi + (n * kLog2Lo + log_m);
}

double tanh_f64(double x) {
  if (x > 20.0) {
    return 1.0;
  }
  if (x < -20.0) {
    return -1.0;
  }
  const double e = expm1_f64(2.0 * x);
  return e / (e + 2.0);
}

double erf_f64(double x) {
  const double a = magnitude(x);
  double value = 1.0;
  if (a < 1.0) {
    return x * polynomial(kErf0, x * x);
  }
  if (a < 4.0) {
    const auto piece = static_cast<int32_t>(a);
    value = polynomial(kErf[piece - 1], a - static_cast<double>(piece) - 0.5);
  }
  return is_nan(x) ? x : x < 0 ? -value : value;
}

double sqrt_f64(double x) {
  if (!(x > 0.0) || x == __builtin_inf()) {
    return x >= 0.0 ? x : static_cast<double>(nan());
  }
  // x = m * 4^k, m within [1, 4); the float is right to 2^-24, Newton's step squares that.
  uint64_t bits;
  memcpy(&bits, &x, sizeof bits);
  const int32_t k = (static_cast<int32_t>(bits >> 52) - 1023) >> 1;
  const double m = x * power_of_2(-k) * power_of_2(-k);
  double root = static_cast<double>(sqrt_f32(to_float(m)));
  root = 0.5 * (root + m / root);
  root = 0.5 * (root + m / root);
  return root * power_of_2(k);
}

float exp_f32(float x) { return to_float(exp_f64(static_cast<double>(x))); }

float expm1_f32(float x) { return x == 0.0f ? x : to_float(expm1_f64(static_cast<double>(x))); }

namespace {

/// log of any float, by C's limits.
double log_of(float x) {
  if (x > 0.0f) {
    return log_f64(static_cast<double>(x));
  }
  return x == 0.0f ? -__builtin_inf() : static_cast<double>(nan());
}

}  // namespace

float log_f32(float x) { return to_float(log_of(x)); }

float log2_f32(float x) { return to_float(log_of(x) * kInverseLog2); }

float log10_f32(float x) { return to_float(log_of(x) * kInverseLog10); }

float log1p_f32(float x) {
  if (x > -1.0f) {
    return x == 0.0f ? x : to_float(log1p_f64(static_cast<double>(x)));
  }
  return x == -1.0f ? -__builtin_inff() : nan();
}

float pow_f32(float x, float y) {
  if (y == 0.0f || x == 1.0f) {
    return 1.0f;
  }
  if (x != x || y != y) {
    return nan();
  }
  const float infinity = __builtin_inff();
  if (y == infinity || y == -infinity) {
    const float base = with_sign_of(x, 1.0f);
    return base == 1.0f ? 1.0f : (base > 1.0f) == (y > 0.0f) ? infinity : 0.0f;
  }
  const bool odd = is_odd_integer(y);
  if (x < 0.0f && x != -infinity && !odd && trunc_f32(y) != y) {
    return nan();
  }
  float value;
  if (x == 0.0f || x == infinity || x == -infinity) {
    value = (x == 0.0f) == (y > 0.0f) ? 0.0f : infinity;
  } else {
    const double base = magnitude(static_cast<double>(x));
    value = to_float(exp_f64(static_cast<double>(y) * log_f64(base)));
  }
  return odd ? with_sign_of(value, x) : value;
}

float sinh_f32(float x) {
  if (x != x) {
    return nan();
  }
  double a = magnitude(static_cast<double>(x));
  a = a > 100.0 ? 100.0 : a;  // infinite as a float, and what follows is finite
  const double e = expm1_f64(a);
  return with_sign_of(to_float(0.5 * (e + e / (e + 1.0))), x);
}

float cosh_f32(float x) {
  const double e = exp_f64(magnitude(static_cast<double>(x)));
  return x != x ? nan() : to_float(0.5 * (e + 1.0 / e));
}

float tanh_f32(float x) { return x == 0.0f ? x : to_float(tanh_f64(static_cast<double>(x))); }

float asinh_f32(float x) {
  const double a = magnitude(static_cast<double>(x));
  if (!(a < __builtin_inf())) {
    return x;
  }
  return with_sign_of(to_float(log1p_f64(a + a * a / (1.0 + sqrt_f64(a * a + 1.0)))), x);
}

float acosh_f32(float x) {
  if (!(x >= 1.0f)) {
    return nan();
  }
  const double t = static_cast<double>(x) - 1.0;
  return to_float(log1p_f64(t + sqrt_f64(t * (t + 2.0))));
}

float atanh_f32(float x) {
  const double a = magnitude(static_cast<double>(x));
  if (!(a <= 1.0)) {
    return nan();
  }
  const float value = a == 1.0 ? __builtin_inff() : to_float(0.5 * log1p_f64(2.0 * a / (1.0 - a)));
  return with_sign_of(value, x);
}

float erf_f32(float x) { return x == 0.0f ? x : to_float(erf_f64(static_cast<double>(x))); }

float sigmoid_f32(float x) { return to_float(1.0 / (1.0 + exp_f64(-static_cast<double>(x)))); }

float sqrt_f32(float x) {
  if (!(x > 0.0f) || x == __builtin_inff()) {
    return x >= 0.0f ? x : nan();
  }
  Parts parts = parts_of(x);
  while (parts.mantissa < 0x800000u) {
    parts.mantissa <<= 1;
    --parts.exponent;
  }
  // The root of a 50-bit number is a 25-bit one: the last bit rounds. It is no tie, as the number
  // ends in more zeros than an odd number's square.
  uint64_t rest = static_cast<uint64_t>(parts.mantissa) << ((parts.exponent & 1) != 0 ? 25 : 26);
  const int32_t exponent = (parts.exponent - ((parts.exponent & 1) != 0 ? 25 : 26));
  uint64_t root = 0;
  for (uint64_t bit = uint64_t{1} << 48; bit != 0; bit >>= 2) {
    const uint64_t trial = root + bit;
    root >>= 1;
    if (rest >= trial) {
      rest -= trial;
      root += bit;
    }
  }
  const auto rounded = static_cast<uint32_t>((root + 1) >> 1);
  return to_float(static_cast<double>(rounded) * power_of_2(exponent / 2 + 1));
}

float rsqrt_f32(float x) {
  if (x == 0.0f) {
    return with_sign_of(__builtin_inff(), x);
  }
  return to_float(1.0 / sqrt_f64(static_cast<double>(x)));
}

float trunc_f32(float x) {
  // Larger ones are integers, infinite, or NaN.
  const float a = with_sign_of(x, 1.0f);
  return a < 8388608.0f ? with_sign_of(static_cast<float>(static_cast<int32_t>(x)), x) : x;
}

float floor_f32(float x) {
  const float towards_zero = trunc_f32(x);
  return towards_zero > x ? towards_zero - 1.0f : towards_zero;
}

float ceil_f32(float x) {
  const float towards_zero = trunc_f32(x);
  return towards_zero < x ? with_sign_of(towards_zero + 1.0f, x) : towards_zero;
}

float round_f32(float x) {
  const float a = with_sign_of(x, 1.0f);
  return a < 8388608.0f ? with_sign_of((a + 8388608.0f) - 8388608.0f, x) : x;
}

float fmod_f32(float x, float y) {
  const float infinity = __builtin_inff();
  const float ax = with_sign_of(x, 1.0f);
  const float ay = with_sign_of(y, 1.0f);
  if (!(ax < infinity) || !(ay > 0.0f)) {
    return nan();
  }
  if (ax < ay) {
    return x;
  }
  Parts rest = parts_of(ax);
  const Parts divisor = parts_of(ay);
  while (rest.exponent > divisor.exponent) {
    const int32_t step = rest.exponent - divisor.exponent;
    const int32_t bits = step < 40 ? step : 40;
    const uint64_t shifted = static_cast<uint64_t>(rest.mantissa) << bits;
    rest.mantissa = static_cast<uint32_t>(shifted % divisor.mantissa);
    rest.exponent -= bits;
  }
  rest.mantissa %= divisor.mantissa;
  return with_sign_of(to_float(static_cast<double>(rest.mantissa) * power_of_2(divisor.exponent)),
                      x);
}

}  // namespace mcugen
