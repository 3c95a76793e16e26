// SPDX-License-Identifier: BSD-3-Clause

#pragma GCC optimize("O2")

#include <kernels/requantize.h>
#include <kernels/softmax_s8.h>

namespace mcugen {
namespace {

/// Fixed-point formats are written Qi.f: i integer bits, f fraction bits, i + f = 31.
constexpr int32_t kOne = INT32_MAX;  // 1 in Q0.31, as near as it gets

/// @returns a * b: Qi.f times Qj.g gives Q(i+j).
int32_t mul(int32_t a, int32_t b) {
  if (a == INT32_MIN && b == INT32_MIN) {
    return INT32_MAX;
  }
  return doubling_high_mul(a, b);
}

/// @returns value * 2^shift, saturating.
int32_t saturating_shift_left(int32_t value, int32_t shift) {
  const int32_t limit = INT32_MAX >> shift;
  if (value > limit) {
    return INT32_MAX;
  }
  if (value < -limit - 1) {
    return INT32_MIN;
  }
  return static_cast<int32_t>(static_cast<uint32_t>(value) << shift);
}

/// @returns value / 2^shift rounded to nearest, for values of 0 and above.
/// @param[in] half 2^(shift - 1), or 0 with a shift of 0.
int32_t shift_right_above_0(int32_t value, int32_t shift, uint32_t half) {
  return static_cast<int32_t>((static_cast<uint32_t>(value) + half) >> shift);
}

/// @returns exp(value) in Q0.31 for value in [-1/4, 0), Q0.31.
int32_t exp_in_quarter(int32_t value) {
  constexpr int32_t kExpMinusEighth = 1895147668;  // exp(-1/8)
  constexpr int32_t kThird = 715827883;            // 1/3
  const int32_t x = value + (1 << 28);             // x = value + 1/8, |x| <= 1/8
  const int32_t x2 = doubling_high_mul(x, x);
  const int32_t x3 = doubling_high_mul(x2, x);
  const int32_t x4 = doubling_high_mul(x2, x2);
  // x^4/24 + x^3/6 + x^2/2
  const int32_t cubic_and_up = doubling_high_mul(shift_right_above_0(x4, 2, 2) + x3, kThird);
  const int32_t tail = shift_right_above_0(cubic_and_up + x2, 1, 1);
  return kExpMinusEighth + doubling_high_mul(x + tail, kExpMinusEighth);
}

/// @returns exp(value) in Q0.31 for value <= 0 in Q5.26.
int32_t exp_on_negative(int32_t value) {
  if (value == 0) {
    return kOne;
  }
  constexpr int32_t kQuarter = 1 << 24;
  const int32_t in_quarter = (value & (kQuarter - 1)) - kQuarter;  // value modulo 1/4, minus 1/4
  int32_t result = exp_in_quarter(in_quarter * 32);                // Q5.26 to Q0.31
  const int32_t remainder = wrapping_sub(in_quarter, value);       // a multiple of 1/4
  const auto times = [&](int32_t power, int32_t factor) {
    if ((remainder & power) != 0) {
      result = doubling_high_mul(result, factor);
    }
  };
  times(kQuarter, 1672461947);  // exp(-2^k) in Q0.31 for k = -2 to 4
  times(kQuarter << 1, 1302514674);
  times(kQuarter << 2, 790015084);
  times(kQuarter << 3, 290630308);
  times(kQuarter << 4, 39332535);
  times(kQuarter << 5, 720401);
  times(kQuarter << 6, 242);
  return result;
}

/// @returns 1 / (1 + value) in Q0.31 for value in [0, 1), Q0.31.
int32_t one_over_one_plus(int32_t value) {
  constexpr int32_t k48Over17 = 1515870810;   // Q2.29
  constexpr int32_t k32Over17 = -1010580540;  // -32/17, Q2.29
  constexpr int32_t kOneQ2 = 1 << 29;         // 1 in Q2.29
  const int32_t half_denominator =
      static_cast<int32_t>((static_cast<int64_t>(value) + kOne + 1) / 2);
  int32_t x = k48Over17 + mul(half_denominator, k32Over17);
  for (int32_t step = 0; step < 3; ++step) {
    const int32_t error = kOneQ2 - mul(half_denominator, x);
    x = wrapping_add(x, saturating_shift_left(mul(x, error), 2));
  }
  return saturating_shift_left(x, 1);  // x / 2, from Q2.29 over Q1.30 to Q0.31
}

/// @returns (input - max) * input scale in Q5.26, at most 0.
int32_t scaled_difference(const SoftmaxS8Params& p, int32_t difference) {
  if (p.input_shift < 0) {
    return rounding_shift_right(doubling_high_mul(difference, p.input_multiplier), -p.input_shift);
  }
  const uint32_t shifted = static_cast<uint32_t>(difference) << p.input_shift;
  return mul(static_cast<int32_t>(shifted), p.input_multiplier);
}

/// @returns exp((input - max) * input scale) in Q0.31; 0 where that counts as none.
int32_t exp_of(const SoftmaxS8Params& p, int32_t difference) {
  return difference >= p.diff_min ? exp_on_negative(scaled_difference(p, difference)) : 0;
}

void softmax_row(const SoftmaxS8Params& params, const int8_t* input, int8_t* output) {
  // Those of the first elements are kept: the second pass need not compute them again.
  constexpr int32_t kKept = 64;
  int32_t kept[kKept];
  const SoftmaxS8Params p = params;  // which bytes of the output cannot change
  const int32_t end = p.depth * p.inner;
  int32_t max = INT8_MIN;
  for (int32_t at = 0; at < end; at += p.inner) {
    max = input[at] > max ? input[at] : max;
  }

  uint32_t sum = 0;  // Q12.19; saturates, which only rows of 4096 and more near-equal values reach
  for (int32_t i = 0; i < p.depth; ++i) {
    const int32_t exp = exp_of(p, input[i * p.inner] - max);
    if (i < kKept) {
      kept[i] = exp;
    }
    sum += static_cast<uint32_t>(shift_right_above_0(exp, 12, 1 << 11));
    sum = sum > INT32_MAX ? INT32_MAX : sum;
  }
  // sum = (1 + fraction) * 2^(12 - headroom) with fraction in [0, 1). It is at least 1 (the
  // maximum itself) unless diff_min excludes even that.
  const int32_t headroom = sum != 0 ? __builtin_clz(sum) : 31;
  const uint32_t fraction = (sum << headroom) - (1u << 31);
  const int32_t reciprocal = sum != 0 ? one_over_one_plus(static_cast<int32_t>(fraction)) : 0;
  const int32_t shift = clamp(12 - headroom + 31 - 8, 0, 31);
  const uint32_t half = shift == 0 ? 0 : 1u << (shift - 1);

  for (int32_t i = 0; i < p.depth; ++i) {
    const int32_t at = i * p.inner;
    const int32_t exp = i < kKept ? kept[i] : exp_of(p, input[at] - max);
    const int32_t probability =
        shift_right_above_0(doubling_high_mul(reciprocal, exp), shift, half);
    output[at] = static_cast<int8_t>(probability < 255 ? probability - 128 : INT8_MAX);
  }
}

}  // namespace

void softmax_s8_scalar(const SoftmaxS8Params& p, const int8_t* input, int8_t* output) {
  const int32_t block = p.depth * p.inner;
  for (int32_t o = 0; o < p.outer; ++o, input += block, output += block) {
    for (int32_t i = 0; i < p.inner; ++i) {
      softmax_row(p, input + i, output + i);
    }
  }
}

}  // namespace mcugen
