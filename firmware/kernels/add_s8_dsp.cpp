// SPDX-License-Identifier: BSD-3-Clause

#pragma GCC optimize("O2")

#include <kernels/elementwise_s8.h>
#include <kernels/requantize.h>

namespace mcugen {
namespace {

/// @returns a * b / 2^32 rounded to nearest, halves up.
inline int32_t high_mul(int32_t a, int32_t b) {
  int32_t product;
  asm("smmulr %0, %1, %2" : "=r"(product) : "r"(a), "r"(b));
  return product;
}

/// requantize() of half of a value, for shifts of 0 and below.
struct Rescale {
  Rescale(int32_t multiplier, int32_t shift)
      : multiplier(multiplier),
        shift(-shift),
        half(shift == 0 ? 0 : 1 << (-shift - 1)),
        signs(shift == 0 ? 0 : -1) {}

  int32_t operator()(int32_t twice) const {
    const int32_t product = high_mul(twice, multiplier);
    return (product + ((product >> 31) & signs) + half) >> shift;
  }

  int32_t multiplier;
  int32_t shift;
  int32_t half;
  int32_t signs;
};

bool fits(int32_t shift) { return shift <= 0 && shift >= -30; }

}  // namespace

void add_s8_dsp(const AddS8Params& p, int32_t count, const int8_t* a, int32_t a_step,
                const int8_t* b, int32_t b_step, int8_t* output) {
  if (!fits(p.a.shift) || !fits(p.b.shift) || !fits(p.output_shift)) {
    add_s8_scalar(p, count, a, a_step, b, b_step, output);
    return;
  }
  const Rescale rescale_a(p.a.multiplier, p.a.shift);
  const Rescale rescale_b(p.b.multiplier, p.b.shift);
  const Rescale rescale(p.output_multiplier, p.output_shift);
  // 2^20 for the headroom that the exporter assumes, and once more because high_mul() halves.
  constexpr int32_t kUnit = 1 << 21;
  const int32_t zero_a = p.a.zero_point * kUnit;
  const int32_t zero_b = p.b.zero_point * kUnit;
  for (int8_t* const end = output + count; output != end; ++output, a += a_step, b += b_step) {
    const int32_t sum = rescale_a(*a * kUnit - zero_a) + rescale_b(*b * kUnit - zero_b);
    *output = static_cast<int8_t>(
        clamp(rescale(2 * sum) + p.output_zero_point, p.activation_min, p.activation_max));
  }
}

}  // namespace mcugen
