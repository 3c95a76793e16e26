// SPDX-License-Identifier: BSD-3-Clause

// Nearly all time is spent here; the rest of the firmware is built for size.
#pragma GCC optimize("O2")

#include <kernels/loops_mla.h>
#include <kernels/packed_linear_blocks_s8.h>
#include <kernels/requantize.h>

namespace mcugen {
namespace {

int32_t two(int32_t low, int32_t high) {
  return static_cast<int32_t>(static_cast<uint32_t>(low) + (static_cast<uint32_t>(high) << 16));
}

/// Writes inputs as mcugen_mla_packed_rows() takes them.
void widen(const int8_t* in, int32_t count, int32_t* out) {
  for (; count >= 4; count -= 4, in += 4, out += 2) {
    out[0] = two(in[0], in[2]);
    out[1] = two(in[1], in[3]);
  }
  if (count != 0) {
    out[0] = two(in[0], count > 2 ? in[2] : 0);
    out[1] = count > 1 ? in[1] : 0;
  }
}

}  // namespace

void packed_linear_4x4_s8_mla(const PackedLinearBlocksS8Params& p, const int8_t* input,
                              const int32_t* groups, int8_t* output) {
  const uint32_t fours = static_cast<uint32_t>(p.in_ch + 3) / 4;
  if (p.scratch.bytes < fours * 8) {
    packed_linear_4x4_s8_scalar(p, input, groups, output);
    return;
  }
  int32_t* const inputs = reinterpret_cast<int32_t*>(p.scratch.data);
  const int32_t zero_point = p.output_zero_point;
  const int32_t min = p.activation_min;
  const int32_t max = p.activation_max;
  for (int32_t b = 0; b < p.batch; ++b, input += p.in_ch) {
    widen(input, p.in_ch, inputs);
    const int32_t* group = groups;
    for (int32_t left = p.out_ch; left > 0; left -= 4) {
      int32_t sums[4];
      const int32_t* const scaling = mcugen_mla_packed_rows(inputs, group, fours, sums);
      const int32_t rows = left < 4 ? left : 4;
      for (int32_t i = 0; i < rows; ++i) {
        const int32_t right = static_cast<int32_t>(-static_cast<uint32_t>(scaling[4 + i]) & 31);
        const int32_t scaled = rounding_shift_right(doubling_high_mul(sums[i], scaling[i]), right);
        *output++ = static_cast<int8_t>(clamp(wrapping_add(scaled, zero_point), min, max));
      }
      group = scaling + 8;
    }
  }
}

}  // namespace mcugen
