// SPDX-License-Identifier: BSD-3-Clause

// Nearly all time is spent here; the rest of the firmware is built for size.
#pragma GCC optimize("O2")

#include <kernels/linear_s8.h>
#include <kernels/loops_dsp.h>
#include <kernels/requantize.h>

namespace mcugen {
namespace {

constexpr int32_t kRows = 4;

/// @returns the sum of the inputs less their zero point.
uint32_t sum_of(const LinearS8Params& p, const int8_t* input) {
  uint32_t sum = 0;
  for (const int8_t* const end = input + p.in_ch; input != end; ++input) {
    sum += static_cast<uint32_t>(*input - p.input_zero_point);
  }
  return sum;
}

int8_t rescaled(const LinearS8Params& p, int32_t o, int32_t acc) {
  int32_t multiplier;
  int32_t shift;
  if (p.channel_multipliers != nullptr) {
    multiplier = p.channel_multipliers[o];
    shift = p.channel_shifts[o];
  } else {
    const int32_t at = p.per_channel ? o : 0;
    multiplier = static_cast<int32_t>(p.multipliers[at]);
    shift = static_cast<int32_t>(p.shifts[at]);
  }
  return static_cast<int8_t>(
      clamp(wrapping_add(requantize(acc, multiplier, shift), p.output_zero_point), p.activation_min,
            p.activation_max));
}

}  // namespace

void linear_s8_dsp(const LinearS8Params& p, const int8_t* input, const int8_t* weights,
                   const int32_t* bias, int8_t* output) {
  const int32_t in_ch = p.in_ch;
  if (in_ch < 4 || p.out_ch < kRows) {
    linear_s8_scalar(p, input, weights, bias, output);
    return;
  }
  const uint32_t minus_zero_point = 0x10001u * static_cast<uint16_t>(-p.input_zero_point);
  for (int32_t b = 0; b < p.batch; ++b, input += in_ch, output += p.out_ch) {
    // A zero point of the weights takes the same from every row.
    const uint32_t shared = p.weights_zero_point == 0
                                ? 0
                                : sum_of(p, input) * static_cast<uint32_t>(p.weights_zero_point);
    for (int32_t o = 0; o < p.out_ch; o += kRows) {
      if (o + kRows > p.out_ch) {
        o = p.out_ch - kRows;  // some of them once more
      }
      const int8_t* const rows = weights + o * in_ch;
      int32_t sums[kRows];
      for (int32_t i = 0; i < kRows; ++i) {
        uint32_t sum = (bias == nullptr ? 0 : static_cast<uint32_t>(bias[o + i])) - shared;
        for (int32_t k = in_ch & ~3; k < in_ch; ++k) {
          sum += static_cast<uint32_t>((input[k] - p.input_zero_point) * rows[i * in_ch + k]);
        }
        sums[i] = static_cast<int32_t>(sum);
      }
      mcugen_dsp_four_rows(input, rows, in_ch, static_cast<uint32_t>(in_ch) / 4, minus_zero_point,
                           sums);
      for (int32_t i = 0; i < kRows; ++i) {
        output[o + i] = rescaled(p, o + i, sums[i]);
      }
    }
  }
}

}  // namespace mcugen
