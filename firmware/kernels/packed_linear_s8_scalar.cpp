// SPDX-License-Identifier: BSD-3-Clause
#include <kernels/forms.h>
#include <kernels/packed_linear_s8.h>
#include <kernels/requantize.h>

namespace mcugen {
namespace {

/// @param[in] scaling Multiplier, offset and shift.
int8_t rescaled(const PackedLinearS8Params& p, uint32_t sum, const int32_t* scaling) {
  const int32_t value = static_cast<int32_t>(sum);
  const int64_t product = static_cast<int64_t>(value) * scaling[0];
  int32_t high = wrapping_add(static_cast<int32_t>(product >> 32), scaling[1]);
  if (p.exact && product < 0) {
    high = wrapping_sub(high, 128);
  }
  const int32_t result = high >> (scaling[2] & 31);
  return static_cast<int8_t>(
      clamp(clamp(result, INT8_MIN, INT8_MAX), p.activation_min, p.activation_max));
}

}  // namespace

void packed_linear_s8_scalar(const PackedLinearS8Params& p, const int8_t* input,
                             const int32_t* groups, int8_t* output) {
  if (!forms::kPackedLinearScalar) {
    forms::left_out("packed_linear_s8_scalar");
  }
  for (int32_t b = 0; b < p.batch; ++b, input += p.in_ch, output += p.out_ch) {
    const int32_t* group = groups;
    for (int32_t o = 0; o < p.out_ch; o += kPackedRows) {
      o = o + kPackedRows > p.out_ch ? p.out_ch - kPackedRows : o;
      for (int32_t half = 0; half < kPackedRows; half += 2) {
        uint32_t first = static_cast<uint32_t>(group[half]);
        uint32_t both = static_cast<uint32_t>(group[half + 1]);
        for (int32_t k = 0; k < p.in_ch; ++k) {
          const int32_t word = group[4 + (k & ~3) + ((k & 1) * 2) + half / 2];
          const int16_t rows = static_cast<int16_t>((k & 2) != 0 ? word >> 16 : word);
          const int32_t x = input[k] - p.input_zero_point;
          first += static_cast<uint32_t>(x * static_cast<int8_t>(rows));
          both += static_cast<uint32_t>(x * rows);
        }
        const int32_t* const scaling = group + packed_linear_words(p.in_ch) - 12 + 3 * half;
        output[o + half] = rescaled(p, first << 8, scaling);
        output[o + half + 1] = rescaled(p, both - first, scaling + 3);
      }
      group += packed_linear_words(p.in_ch);
    }
  }
}

void packed_linear_5x4_s8_scalar(const PackedLinearS8Params& p, const int8_t* input,
                                 const int32_t* groups, int8_t* output) {
  if (!forms::kPackedLinearScalar) {
    forms::left_out("packed_linear_5x4_s8_scalar");
  }
  for (int32_t b = 0; b < p.batch; ++b, input += p.in_ch, output += p.out_ch) {
    const int32_t* group = groups;
    for (int32_t o = 0; o < p.out_ch; o += kWideRows) {
      o = o + kWideRows > p.out_ch ? p.out_ch - kWideRows : o;
      const int32_t* const next = group + packed_linear_5x4_words(p.in_ch);
      for (int32_t row = 0; row < kWideRows; ++row) {
        uint32_t sum = static_cast<uint32_t>(group[row]);
        for (int32_t k = 0; k < p.in_ch; ++k) {
          const int32_t word = group[kWideRows + (k / 4 * 2 + k % 2) * kWideRows + row];
          const int16_t weight = static_cast<int16_t>((k & 2) != 0 ? word >> 16 : word);
          sum += static_cast<uint32_t>((input[k] - p.input_zero_point) * weight);
        }
        output[o + row] = rescaled(p, sum, next - 3 * kWideRows + 3 * row);
      }
      group = next;
    }
  }
}

}  // namespace mcugen
