// SPDX-License-Identifier: BSD-3-Clause

#pragma GCC optimize("O2")

#include <kernels/elementwise_s8.h>
#include <kernels/simd_dsp.h>

#include <utility>

namespace mcugen {
namespace {

/// requantize() of half of a value, and the zero point, saturated to int8. Rounding halves of a
/// negative product away from zero is taking one from it first; both roundings are one floor.
struct Rescale {
  int32_t multiplier, offset, shift;

  int32_t operator()(int32_t twice) const {
    int32_t scaled;
    asm("smmlar %0, %1, %2, %3" : "=r"(scaled) : "r"(twice), "r"(multiplier), "r"(offset));
    scaled = (scaled + (twice >> 31)) >> shift;
    asm("ssat %0, #8, %0" : "+r"(scaled));
    return scaled;
  }
};

int32_t low(uint32_t pair) { return static_cast<int16_t>(pair); }
int32_t high(uint32_t pair) { return static_cast<int32_t>(pair) >> 16; }

uint32_t minus_in_both(int32_t zero_point) { return 0x10001u * static_cast<uint16_t>(-zero_point); }

/// @returns twice both halves.
uint32_t doubled(uint32_t pair) {
  uint32_t result;
  asm("sadd16 %0, %1, %1" : "=r"(result) : "r"(pair) : "cc");
  return result;
}

/// Whether differences from it, and twice these, fit into 16 bits.
bool fits(int32_t zero_point) { return zero_point >= -16'000 && zero_point <= 16'000; }

/// Writes four results. @param[in] even_b, odd_b Differences of bytes 0 and 2, 1 and 3, doubled.
inline void multiply_four(Rescale rescale, uint32_t zero_a, uint32_t four_a, uint32_t even_b,
                          uint32_t odd_b, int8_t* output) {
  const uint32_t even_a = add_even(zero_a, four_a);
  const uint32_t odd_a = add_odd(zero_a, four_a);
  output[0] = static_cast<int8_t>(rescale(low(even_a) * low(even_b)));
  output[1] = static_cast<int8_t>(rescale(low(odd_a) * low(odd_b)));
  output[2] = static_cast<int8_t>(rescale(high(even_a) * high(even_b)));
  output[3] = static_cast<int8_t>(rescale(high(odd_a) * high(odd_b)));
}

void scalar(MulS8Params p, int32_t count, const int8_t* a, int32_t a_zero_point, int32_t a_step,
            const int8_t* b, int32_t b_zero_point, int32_t b_step, int8_t* output) {
  p.a_zero_point = a_zero_point;
  p.b_zero_point = b_zero_point;
  mul_s8_scalar(p, count, a, a_step, b, b_step, output);
}

}  // namespace

void mul_s8_dsp(const MulS8Params& p, int32_t count, const int8_t* a, int32_t a_step,
                const int8_t* b, int32_t b_step, int8_t* output) {
  int32_t a_zero_point = p.a_zero_point;
  int32_t b_zero_point = p.b_zero_point;
  if (a_step == 0) {  // at most one value that repeats, and that is b
    std::swap(a, b);
    std::swap(a_step, b_step);
    std::swap(a_zero_point, b_zero_point);
  }
  const int32_t shift = -p.output_shift;
  if (shift < 1 || shift > 22 || p.output_multiplier <= 0 || !fits(a_zero_point) ||
      !fits(b_zero_point) || a_step != 1 || (b_step & ~1) != 0) {
    scalar(p, count, a, a_zero_point, a_step, b, b_zero_point, b_step, output);
    return;
  }
  // Less than 2^30 + 2^29, and products are less than 2^30 / 2: no sum overflows.
  const Rescale rescale{p.output_multiplier,
                        (1 << (shift - 1)) + p.output_zero_point * (1 << shift), shift};
  const uint32_t zero_a = minus_in_both(a_zero_point);
  const uint32_t zero_b = minus_in_both(b_zero_point);
  int8_t* const end = output + (count & ~3);
  if (b_step == 0) {
    const uint32_t value = doubled(add_even(zero_b, four_of(*b)));
    for (; output != end; a += 4, output += 4) {
      multiply_four(rescale, zero_a, load_four(a), value, value, output);
    }
  } else {
    for (; output != end; a += 4, b += 4, output += 4) {
      const uint32_t four = load_four(b);
      multiply_four(rescale, zero_a, load_four(a), doubled(add_even(zero_b, four)),
                    doubled(add_odd(zero_b, four)), output);
    }
  }
  scalar(p, count & 3, a, a_zero_point, a_step, b, b_zero_point, b_step, output);
}

}  // namespace mcugen
