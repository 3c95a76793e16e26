// SPDX-License-Identifier: BSD-3-Clause
#include <kernels/packed_linear_blocks_s8.h>
#include <kernels/requantize.h>

namespace mcugen {
namespace {

int8_t rescaled(const PackedLinearBlocksS8Params& p, uint32_t sum, int32_t multiplier,
                int32_t shift) {
  const int32_t right = static_cast<int32_t>(-static_cast<uint32_t>(shift) & 31);
  const int32_t scaled = requantize(static_cast<int32_t>(sum), multiplier, -right);
  return static_cast<int8_t>(
      clamp(wrapping_add(scaled, p.output_zero_point), p.activation_min, p.activation_max));
}

}  // namespace

void packed_linear_8x16_s8_scalar(const PackedLinearBlocksS8Params& p, const int8_t* input,
                                  const int32_t* groups, int8_t* output) {
  const int32_t words = packed_linear_8x16_words(p.in_ch);
  const int32_t skipped = -p.in_ch & 15;
  for (int32_t b = 0; b < p.batch; ++b, input += p.in_ch) {
    for (int32_t o = 0; o < p.out_ch; ++o) {
      const int32_t* const group = groups + o / 8 * words;
      const int8_t* const rows = reinterpret_cast<const int8_t*>(group + 8) + o % 8 * 16;
      const int32_t number = (o % 2) * 4 + o % 8 / 2;
      uint32_t sum = static_cast<uint32_t>(group[number]);
      for (int32_t k = 0; k < p.in_ch; ++k) {
        const int32_t at = k < 16 - skipped ? k : k + skipped;
        sum += static_cast<uint32_t>(input[k] * rows[at / 16 * 128 + at % 16]);
      }
      *output++ = rescaled(p, sum, group[words - 16 + number], group[words - 8 + number]);
    }
  }
}

void packed_linear_4x4_s8_scalar(const PackedLinearBlocksS8Params& p, const int8_t* input,
                                 const int32_t* groups, int8_t* output) {
  const int32_t words = packed_linear_4x4_words(p.in_ch);
  for (int32_t b = 0; b < p.batch; ++b, input += p.in_ch) {
    for (int32_t o = 0; o < p.out_ch; ++o) {
      const int32_t* const group = groups + o / 4 * words + o % 4;
      uint32_t sum = static_cast<uint32_t>(group[0]);
      for (int32_t k = 0; k < p.in_ch; k += 4) {
        const uint32_t weights = static_cast<uint32_t>(group[4 + k]);
        for (int32_t i = 0; i < 2; ++i) {
          int32_t two = 0;
          for (int32_t j = i; j < 4 && k + j < p.in_ch; j += 2) {
            two += input[k + j] * (static_cast<int32_t>(weights >> (8 * (j ^ 2)) & 255) - 128);
          }
          sum += static_cast<uint32_t>(static_cast<int16_t>(two));
        }
      }
      *output++ = rescaled(p, sum, group[words - 8], group[words - 4]);
    }
  }
}

}  // namespace mcugen
