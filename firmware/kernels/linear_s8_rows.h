// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <kernels/linear_s8.h>
#include <kernels/requantize.h>

#include <cstdint>
#include <cstring>

/// What the variants of linear_s8 share that take four rows of weights at a time.

namespace mcugen {

constexpr int32_t kLinearS8Rows = 4;

/// @returns the sum of the inputs less their zero point.
inline uint32_t linear_s8_sum_of(const LinearS8Params& p, const int8_t* input) {
  uint32_t sum = 0;
  for (const int8_t* const end = input + p.in_ch; input != end; ++input) {
    sum += static_cast<uint32_t>(*input - p.input_zero_point);
  }
  return sum;
}

/// @returns whether linear_s8_usual() may be taken: all but a few layers have such a shift.
inline bool linear_s8_is_usual(const LinearS8Scale& scale) {
  return scale.shift < 0 && scale.shift >= -31;
}

/// @returns requantize(acc, scale.multiplier, scale.shift).
inline int32_t linear_s8_usual(const LinearS8Scale& scale, int32_t acc) {
  const int32_t product = doubling_high_mul(acc, scale.multiplier);
  const int32_t twice = (product + (product >> 31)) >> (-scale.shift - 1);
  return (twice >> 1) + (twice & 1);
}

/// Instructions, about: of four rows at a time, and of the scalar form.
struct LinearCosts {
  uint32_t call;
  uint32_t quad, four, tap;  ///< Of four rows, of each four taps of them, of each tap left over,
  uint32_t rest, own_scale;  ///< where taps are left over or weights have a zero point, and where
                             ///< each row has its scale.
  uint32_t sum;              ///< Of each input where weights have a zero point.
  uint32_t scalar_output, scalar_mac;
};

/// @returns whether four rows at a time are quicker than the scalar form: not for few taps.
inline bool linear_s8_rows_pay(const LinearS8Params& p, const LinearCosts& costs) {
  const uint32_t in_ch = static_cast<uint32_t>(p.in_ch);
  const uint32_t out_ch = static_cast<uint32_t>(p.out_ch);
  const bool has_zero_point = p.weights_zero_point != 0;
  uint32_t quad = costs.quad + costs.four * (in_ch / 4) + costs.tap * (in_ch % 4);
  quad += has_zero_point || in_ch % 4 != 0 ? costs.rest : 0;
  quad += p.channel_multipliers != nullptr || p.per_channel ? costs.own_scale : 0;
  const uint32_t rows =
      costs.call + (out_ch + 3) / 4 * quad + (has_zero_point ? costs.sum * in_ch : 0);
  return rows + rows / 32 < out_ch * (costs.scalar_output + costs.scalar_mac * in_ch);
}

/// linear_s8 for in_ch and out_ch of at least 4.
/// @param[in] four_rows Called with the inputs, the first of four rows and int32[4] sums, to which
///     it adds the products of the inputs, less their zero point, up to a multiple of four taps.
template <typename FourRows>
void linear_s8_by_rows(const LinearS8Params& p, const int8_t* input, const int8_t* weights,
                       const int32_t* bias, int8_t* output, FourRows four_rows) {
  const int32_t in_ch = p.in_ch;
  const int32_t zero_point = p.input_zero_point;
  const int32_t offset = p.output_zero_point;
  const int32_t min = p.activation_min;
  const int32_t max = p.activation_max;
  const LinearS8Scale scale(p, 0);
  const bool is_usual =
      p.channel_multipliers == nullptr && !p.per_channel && linear_s8_is_usual(scale);
  for (int32_t b = 0; b < p.batch; ++b, input += in_ch, output += p.out_ch) {
    // A zero point of the weights takes the same from every row.
    const uint32_t shared =
        p.weights_zero_point == 0
            ? 0
            : linear_s8_sum_of(p, input) * static_cast<uint32_t>(p.weights_zero_point);
    for (int32_t o = 0; o < p.out_ch; o += kLinearS8Rows) {
      if (o + kLinearS8Rows > p.out_ch) {
        o = p.out_ch - kLinearS8Rows;  // some of them once more
      }
      const int8_t* const rows = weights + o * in_ch;
      int32_t sums[kLinearS8Rows] = {};
      if (bias != nullptr) {
        memcpy(sums, bias + o, sizeof sums);
      }
      if ((shared | static_cast<uint32_t>(in_ch & 3)) != 0) {
        for (int32_t i = 0; i < kLinearS8Rows; ++i) {
          uint32_t sum = static_cast<uint32_t>(sums[i]) - shared;
          for (int32_t k = in_ch & ~3; k < in_ch; ++k) {
            sum += static_cast<uint32_t>((input[k] - zero_point) * rows[i * in_ch + k]);
          }
          sums[i] = static_cast<int32_t>(sum);
        }
      }
      four_rows(input, rows, sums);
      if (is_usual) {
        for (int32_t i = 0; i < kLinearS8Rows; ++i) {
          output[o + i] = static_cast<int8_t>(
              clamp(wrapping_add(linear_s8_usual(scale, sums[i]), offset), min, max));
        }
        continue;
      }
      for (int32_t i = 0; i < kLinearS8Rows; ++i) {
        const LinearS8Scale own(p, o + i);
        output[o + i] = static_cast<int8_t>(
            clamp(wrapping_add(requantize(sums[i], own.multiplier, own.shift), offset), min, max));
      }
    }
  }
}

}  // namespace mcugen
