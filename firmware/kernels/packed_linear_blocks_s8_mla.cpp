// SPDX-License-Identifier: BSD-3-Clause

// Nearly all time is spent here; the rest of the firmware is built for size.
#pragma GCC optimize("O2")

#include <kernels/clamp_s8.h>
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

/// rounding_shift_right() for a shift of -31 to -1.
int32_t rescaled(int32_t value, int32_t shift) {
  const int32_t twice = (value + (value >> 31)) >> (~shift & 31);
  return (twice >> 1) + (twice & 1);
}

int8_t saturated(int32_t value) {
  const int8_t byte = static_cast<int8_t>(value);
  return byte == value ? byte : static_cast<int8_t>(value >> 31 ^ INT8_MAX);
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
  for (int32_t b = 0; b < p.batch; ++b, input += p.in_ch) {
    widen(input, p.in_ch, inputs);
    const int32_t* group = groups;
    for (int32_t left = p.out_ch; left > 0; left -= 4) {
      int32_t sums[4];
      const int32_t* const scaling = mcugen_mla_packed_rows(inputs, group, fours, sums);
      const int32_t rows = left < 4 ? left : 4;
      for (int32_t i = 0; i < rows; ++i) {
        *output++ = saturated(rescaled(doubling_high_mul(sums[i], scaling[i]), scaling[4 + i]) +
                              zero_point);
      }
      group = scaling + 8;
    }
  }
  if (p.activation_min != INT8_MIN || p.activation_max != INT8_MAX) {
    const int32_t count = p.batch * p.out_ch;
    clamp_s8_scalar(count, output - count, static_cast<int8_t>(p.activation_min),
                    static_cast<int8_t>(p.activation_max), output - count);
  }
}

}  // namespace mcugen
