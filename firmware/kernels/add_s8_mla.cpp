// SPDX-License-Identifier: BSD-3-Clause

// Nearly all time is spent here; the rest of the firmware is built for size.
#pragma GCC optimize("O2")

#include <kernels/elementwise_s8.h>
#include <kernels/requantize.h>

namespace mcugen {
namespace {

bool fits(int32_t shift) { return shift <= 0 && shift >= -30; }

/// rounding_shift_right() by one amount.
struct RoundingShift {
  explicit RoundingShift(int32_t shift)
      : shift(shift), half(shift == 0 ? 0 : 1 << (shift - 1)), signs(shift == 0 ? 0 : -1) {}

  /// @param[in] value |value| + half < 2^31.
  int32_t operator()(int32_t value) const {
    return (value + ((value >> 31) & signs) + half) >> shift;
  }

  int32_t shift;
  int32_t half;
  int32_t signs;
};

/// requantize((q - zero_point) * 2^20), in 32 bits: for d = q - zero_point and a multiplier of
/// h * 2^11 + l it is (d * multiplier + 2^10) / 2^11 = d * h + (d * l + 2^10) / 2^11, rounded down,
/// and |d * h| < 2^28.
struct Operand {
  explicit Operand(const AddS8Operand& p)
      : high(p.multiplier >> 11),
        low(p.multiplier & 2047),
        high_start(-p.zero_point * high),
        low_start((1 << 10) - p.zero_point * low),
        shift(-p.shift) {}

  int32_t operator()(int32_t q) const {
    return shift(high_start + q * high + ((low_start + q * low) >> 11));
  }

  int32_t high, low, high_start, low_start;
  RoundingShift shift;
};

}  // namespace

void add_s8_mla(const AddS8Params& p, int32_t count, const int8_t* a, int32_t a_step,
                const int8_t* b, int32_t b_step, int8_t* output) {
  if (!fits(p.a.shift) || !fits(p.b.shift) || !fits(p.output_shift)) {
    add_s8_scalar(p, count, a, a_step, b, b_step, output);
    return;
  }
  const Operand operand_a(p.a);
  const Operand operand_b(p.b);
  const RoundingShift shift(-p.output_shift);
  for (int8_t* const end = output + count; output != end; ++output, a += a_step, b += b_step) {
    const int32_t sum = operand_a(*a) + operand_b(*b);
    const int32_t scaled = shift(doubling_high_mul(sum, p.output_multiplier));
    *output = static_cast<int8_t>(
        clamp(scaled + p.output_zero_point, p.activation_min, p.activation_max));
  }
}

}  // namespace mcugen
