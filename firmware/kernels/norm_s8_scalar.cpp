// SPDX-License-Identifier: BSD-3-Clause
#include <kernels/norm_s8.h>

namespace mcugen {
namespace {

/// @returns the root of `value`, rounded down; value in [2^60, 2^62), so the root in [2^30, 2^31).
uint32_t root_of(uint64_t value) {
  uint64_t root = 0;
  for (uint64_t bit = uint64_t{1} << 60; bit != 0; bit >>= 2) {
    const uint64_t trial = root + bit;
    root >>= 1;
    if (value >= trial) {
      value -= trial;
      root += bit;
    }
  }
  return static_cast<uint32_t>(root);
}

/// @returns (2^61 - 1) / root, rounded down: a long division, whose dividend is all ones.
/// @param[in] root [2^30, 2^31), so the quotient is below 2^31.
int32_t reciprocal_of(uint32_t root) {
  uint32_t rest = (1u << 30) - 1;  // the first 30 of the 61 ones
  uint32_t quotient = 0;
  for (int32_t bit = 0; bit < 31; ++bit) {
    rest = rest << 1 | 1;
    quotient <<= 1;
    if (rest >= root) {
      rest -= root;
      quotient |= 1;
    }
  }
  return static_cast<int32_t>(quotient);
}

/// What a group's differences are multiplied with: z = difference * factor * 2^-shift.
struct Normaliser {
  int32_t centre;  ///< difference = n * q - centre
  int32_t factor;
  int32_t shift;  ///< 1 to 62
};

/// @param[in] fraction Bits of z behind the point.
Normaliser normaliser_of(const NormS8Params& p, int32_t count, int32_t fraction, int32_t sum,
                         int64_t squares) {
  const int32_t centre = p.subtract_mean ? sum : count * p.input_zero_point;
  // The sum of (n * q - centre)^2, over n; at most 2^60, and no part of it is more.
  const int64_t twice = int64_t{2} * sum - centre;
  const uint64_t spread = static_cast<uint64_t>(squares * count - twice * centre);
  const int32_t bits = 2 * p.spread_bits;
  uint64_t scaled = (bits >= 0 ? spread << bits : spread >> -bits) +
                    static_cast<uint64_t>(p.epsilon);  // below 2^63
  if (spread == 0 || scaled == 0) {
    return {centre, 0, 1};
  }
  // To [2^60, 2^62) by an even number of bits.
  int32_t halves = 0;
  if (scaled >= uint64_t{1} << 62) {
    scaled >>= 2;
    halves = -1;
  }
  while (scaled < uint64_t{1} << 60) {
    scaled <<= 2;
    ++halves;
  }
  // z = difference * 2^(fraction + spread_bits) * 2^halves / root. A spread of 1 and more leaves at
  // most 30 - max(spread_bits, 0) halves, so at least 4 bits to shift.
  return {centre, reciprocal_of(root_of(scaled)), 61 - fraction - p.spread_bits - halves};
}

/// @returns value * 2^-shift, halves up; shift 1 to 62.
int64_t rounded(int64_t value, int32_t shift) {
  return (value + (int64_t{1} << (shift - 1))) >> shift;
}

}  // namespace

void norm_s8_scalar(const NormS8Params& p, const int8_t* input, const int32_t* weight,
                    const int32_t* bias, int8_t* output) {
  const int32_t channels = p.groups * p.group_ch;
  const int32_t count = p.pixels * p.group_ch;
  const int32_t fraction = 27 - ceil_log2(count) / 2;
  const int32_t step = p.per_channel ? 1 : 0;
  for (int32_t b = 0; b < p.batch;
       ++b, input += p.pixels * channels, output += p.pixels * channels) {
    for (int32_t g = 0; g < p.groups; ++g) {
      const int32_t first = g * p.group_ch;
      int32_t sum = 0;
      int64_t squares = 0;
      for (int32_t y = 0; y < p.pixels; ++y) {
        const int8_t* const in = input + y * channels + first;
        for (int32_t c = 0; c < p.group_ch; ++c) {
          sum += in[c];
          squares += in[c] * in[c];
        }
      }
      const Normaliser by = normaliser_of(p, count, fraction, sum, squares);
      for (int32_t y = 0; y < p.pixels; ++y) {
        const int8_t* const in = input + y * channels + first;
        int8_t* const out = output + y * channels + first;
        for (int32_t c = 0; c < p.group_ch; ++c) {
          const int32_t at = (first + c) * step;
          const int64_t difference = in[c] * count - by.centre;
          const int64_t z = rounded(difference * by.factor, by.shift);  // below 2^28
          const int64_t sized = z * weight[at] + (int64_t{bias[at]} * (int64_t{1} << fraction));
          // Below 2^60: the half that is added when there is no bit behind the point, too.
          const int64_t value = rounded(sized, fraction + p.shift) + p.output_zero_point;
          out[c] = static_cast<int8_t>(value < p.activation_min   ? p.activation_min
                                       : value > p.activation_max ? p.activation_max
                                                                  : value);
        }
      }
    }
  }
}

}  // namespace mcugen
