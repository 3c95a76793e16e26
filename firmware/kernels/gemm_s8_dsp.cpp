// SPDX-License-Identifier: BSD-3-Clause

#if !defined(MCUGEN_SMALL_KERNELS)
#pragma GCC optimize("O2")
#endif

#include <kernels/forms.h>
#include <kernels/gemm_s8_dsp.h>
#include <kernels/loops_dsp.h>
#include <kernels/requantize.h>

namespace mcugen {
namespace {

/// Scalings of the weights by which the sums of int16 products keep room: see gemm_s8_prepare().
constexpr int32_t kScaleBits[] = {8, 2};

/// Above it, every result is 0.
constexpr int32_t kAllZeroShift = 31;

/// Largest shift whose zero point fits into the offset: 127 * 2^(24 - 1) < 2^31 - 2^29.
constexpr int32_t kMostShift = 24;

/// Writes the weights of two channels as McugenDspTiles wants them.
void expand(const GemmS8Layer& layer, int32_t first, int32_t second, int16_t* out) {
  const int8_t* row0 = layer.weights + first * layer.channel_step;
  const int8_t* row1 = layer.weights + second * layer.channel_step;
  if (!forms::kDepthwiseAsConv || layer.tap_step == 1) {
    const uint32_t run = static_cast<uint32_t>(layer.run);
    if (forms::kScale8 && (!forms::kScale2 || layer.scale_bits == 8)) {
      mcugen_dsp_scale_8(row0, row1, out, run, kMcugenDspScale8, layer.runs, 0);
    } else {
      mcugen_dsp_scale_2(row0, row1, out, run, kMcugenDspScale2, layer.runs, 0);
    }
    return;
  }
  const int32_t scale = 1 << layer.scale_bits;
  for (int32_t run = 0; run < layer.runs; ++run) {
    for (int32_t k = 0; k < gemm_s8_padded(layer.run); k += 4, out += 8) {
      // k and k + 2 in one word, then k + 1 and k + 3.
      for (int32_t i = 0; i < 8; ++i) {
        out[i] = 0;
      }
      const int32_t here = layer.run - k < 4 ? layer.run - k : 4;
      for (int32_t i = 0; i < here; ++i, row0 += layer.tap_step, row1 += layer.tap_step) {
        int16_t* const at = out + (i & 1) * 4 + (i >> 1);
        at[0] = static_cast<int16_t>(*row0 * scale);
        at[2] = static_cast<int16_t>(*row1 * scale);
      }
    }
  }
}

/// Writes a channel's multiplier, offset and shift, so that for v = acc * 2^scale_bits
/// (v * multiplier / 2^32 + offset) >> shift is requantize(acc), or with the zero point added. Two
/// nested roundings to nearest collapse into one floor: of
/// (acc * multiplier + 2^30 + 2^(30 + s)) / 2^(31 + s), s = -shift.
void write_scaling(const GemmS8Layer& layer, int32_t channel, int32_t* out) {
  const int32_t bits = layer.scale_bits;
  const int32_t shift = bits - layer.shifts[channel];
  const int32_t zero_point = layer.exact ? 0 : layer.output_zero_point;
  if (shift > kAllZeroShift) {
    // |acc| < 2^(31 - bits): the result is 0 whatever it is. In the exact form 2^(bits - 1) is
    // taken from what is negative, which the offset makes up for.
    out[0] = 0;
    out[1] = layer.exact ? 1 << (bits - 1) : zero_point * (1 << bits);
    out[2] = bits;
    return;
  }
  out[0] = layer.multipliers[channel];
  out[1] = (1 << (bits - 2)) + (1 << (shift - 2)) + zero_point * (1 << (shift - 1));
  out[2] = shift - 1;
}

// No pointer to a function: what the stack needs is read from direct calls.
inline void run(bool exact, const McugenDspTiles& tiles) {
  if (forms::kTilesExact && (!forms::kTiles || exact)) {
    mcugen_dsp_tiles_exact(&tiles);
  } else {
    mcugen_dsp_tiles(&tiles);
  }
}

}  // namespace

bool gemm_s8_prepare(GemmS8Layer& layer) {
  const int32_t below = layer.input_zero_point + 128;
  const int32_t above = 127 - layer.input_zero_point;
  uint32_t most_bias = 0;
  for (int32_t c = 0; c < layer.channels; ++c) {
    if (layer.shifts[c] > -1 || layer.multipliers[c] < 0) {
      return false;
    }
    if (layer.bias != nullptr) {
      const uint32_t bias =
          static_cast<uint32_t>(layer.bias[c] < 0 ? ~layer.bias[c] : layer.bias[c]);
      most_bias = bias > most_bias ? bias : most_bias;
    }
  }
  // An input less its zero point times a weight, at most.
  const int64_t most = static_cast<int64_t>(below > above ? below : above) * 128;
  for (const int32_t bits : kScaleBits) {
    if (!(bits == 8 ? forms::kScale8 : forms::kScale2)) {
      continue;
    }
    if (most * layer.runs * layer.run + most_bias + 1 >= INT64_C(1) << (31 - bits)) {
      continue;
    }
    layer.scale_bits = bits;
    layer.exact = layer.output_zero_point > layer.activation_min;
    for (int32_t c = 0; c < layer.channels; ++c) {
      const int32_t shift = bits - layer.shifts[c];
      layer.exact |= shift > kMostShift && shift <= kAllZeroShift;
    }
    layer.exact |= !forms::kTiles;
    return forms::kTilesExact || !layer.exact;
  }
  return false;
}

void gemm_s8_run(const GemmS8Layer& layer, int32_t first, int32_t end, const int16_t* pixels,
                 int32_t count, int32_t* stream, int8_t* out) {
  const int32_t padded = layer.runs * gemm_s8_padded(layer.run);
  const int32_t pairs = count / 2;
  McugenDspTiles tiles;
  tiles.stream = stream;
  tiles.fours = static_cast<uint32_t>(padded / 4 - 1);
  tiles.step = 1 << (layer.scale_bits - 1);
  tiles.zero_point = layer.output_zero_point;
  for (int32_t c = first; c < end; c += 2) {
    if (c + 1 == end) {
      --c;  // an odd one: once more with the one before
    }
    expand(layer, c, c + 1, reinterpret_cast<int16_t*>(stream + 2));
    for (int32_t i = 0; i < 2; ++i) {
      stream[i] = layer.bias == nullptr ? 0 : layer.bias[c + i] * (1 << layer.scale_bits);
      write_scaling(layer, c + i, stream + 2 + padded + 3 * i);
    }
    tiles.pixels = pixels;
    tiles.pixel_step = layer.out_step;
    tiles.out = out + (c - first);
    tiles.pixels_end = pixels + pairs * padded * 2;
    if (pairs != 0) {
      run(layer.exact, tiles);
    }
    if (count % 2 != 0) {
      tiles.pixels = tiles.pixels_end;
      tiles.pixels_end = tiles.pixels + padded * 2;
      tiles.out += (count >= 2 ? count - 2 : 0) * layer.out_step;
      tiles.pixel_step = count >= 2 ? layer.out_step : 0;
      run(layer.exact, tiles);
    }
  }
}

}  // namespace mcugen
