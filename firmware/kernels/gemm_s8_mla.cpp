// SPDX-License-Identifier: BSD-3-Clause

#pragma GCC optimize("O2")

#include <kernels/gemm_s8_mla.h>
#include <kernels/requantize.h>

namespace mcugen {
namespace {

/// What the Armv7-M loop takes from a product so that it fits.
constexpr int32_t kRoom = kGemmS8MlaChannels == 2 ? 256 : 0;

int32_t low_half(int32_t word) { return static_cast<int16_t>(word); }

int32_t high_half(int32_t word) { return (word - low_half(word)) >> 16; }

/// Writes the weights of kGemmS8MlaChannels channels as McugenMlaTiles wants them, and their sums.
/// @returns false where the loops have no room for them.
bool write_weights(const GemmS8MlaLayer& layer, int32_t channel, int32_t* out,
                   int32_t sums[kGemmS8MlaChannels]) {
  const int8_t* rows[kGemmS8MlaChannels];
  for (int32_t c = 0; c < kGemmS8MlaChannels; ++c) {
    rows[c] = layer.weights + (channel + c) * layer.channel_step;
    sums[c] = 0;
  }
  int32_t most = kMcugenMlaMostTaps;
  int8_t four[kGemmS8MlaChannels][4];
  if (layer.tap_step != 1) {
    most = 4;
  }
  bool room = true;
  for (int32_t k = 0; k < layer.taps; k += most) {
    const int32_t taps = layer.taps - k < most ? layer.taps - k : most;
    const int8_t* from[kGemmS8MlaChannels];
    for (int32_t c = 0; c < kGemmS8MlaChannels; ++c) {
      from[c] = rows[c] + k;
      if (layer.tap_step != 1) {
        from[c] = four[c];
        for (int32_t i = 0; i < taps; ++i) {
          four[c][i] = rows[c][(k + i) * layer.tap_step];
        }
      }
    }
    int32_t words[2];
    out = mcugen_mla_weights(from, static_cast<uint32_t>(taps), out, words);
    for (int32_t c = 0; c < kGemmS8MlaChannels; ++c) {
      sums[c] += low_half(words[c]) + high_half(words[c]);
    }
    room = room && (kGemmS8MlaChannels == 2 || words[1] == 0);
  }
  return room;
}

int32_t bias_of(const GemmS8MlaLayer& layer, int32_t channel) {
  return layer.bias == nullptr ? 0 : layer.bias[channel];
}

/// One channel with any scaling and any weights.
void one_channel(const GemmS8MlaLayer& layer, int32_t channel, const int32_t* pixels, int32_t count,
                 int8_t* out) {
  const int8_t* const weights = layer.weights + channel * layer.channel_step;
  const int32_t zero_point = layer.input_zero_point;
  for (int32_t i = 0; i < count; ++i, out += layer.out_step) {
    const bool second = i % 2 != 0 || i + 1 == count;
    const int32_t* pixel = pixels + i / 2 * gemm_s8_mla_padded(layer.taps) + (second ? 2 : 0);
    uint32_t acc = static_cast<uint32_t>(bias_of(layer, channel));
    const int8_t* w = weights;
    for (int32_t k = 0; k < layer.taps; ++k, w += layer.tap_step) {
      const int32_t word = pixel[k / 4 * 4 + k % 2];
      const int32_t value = k % 4 < 2 ? low_half(word) : high_half(word);
      acc += static_cast<uint32_t>((value - zero_point) * *w);
    }
    const int32_t scaled =
        requantize(static_cast<int32_t>(acc), layer.multipliers[channel], layer.shifts[channel]);
    *out = static_cast<int8_t>(
        clamp(wrapping_add(scaled, layer.output_zero_point), layer.activation_min, INT8_MAX));
  }
}

// No pointer to a function: what the stack needs is read from direct calls.
inline void run(bool exact, const McugenMlaTiles& tiles) {
  if (exact) {
    mcugen_mla_tiles_exact(&tiles);
  } else {
    mcugen_mla_tiles(&tiles);
  }
}

}  // namespace

// (acc * multiplier / 2^(32 - kMlaScaleBits) + offset) >> shift is requantize(acc), or with the
// zero point added. Two nested roundings to nearest collapse into one floor: of (acc * multiplier +
// 2^30 + 2^(30 + s)) / 2^(31 + s), s = -shift.
int32_t* mla_write_scaling(int32_t multiplier, int32_t shift, int32_t output_zero_point, bool exact,
                           int32_t* out) {
  const int32_t right = kMlaScaleBits - shift;
  const int32_t zero_point = exact ? 0 : output_zero_point;
  const bool all_zero = right > kMlaAllZeroShift;
  if (all_zero) {
    multiplier = 0;
  }
  if (kMlaScalingWords == 4) {
    *out++ = multiplier >> 16;
    *out++ = multiplier & 0xffff;
  } else {
    *out++ = multiplier;
  }
  if (all_zero) {
    // |acc| < 2^29: the result is 0 whatever it is. In the exact form 2 is taken from what is
    // negative, which the offset makes up for.
    *out++ = exact ? 1 << (kMlaScaleBits - 1) : zero_point * (1 << kMlaScaleBits);
    *out++ = kMlaScaleBits;
  } else {
    *out++ = (1 << (kMlaScaleBits - 2)) + (1 << (right - 2)) + zero_point * (1 << (right - 1));
    *out++ = right - 1;
  }
  return out;
}

void gemm_s8_mla_run(const GemmS8MlaLayer& layer, int32_t first, int32_t end, const int32_t* pixels,
                     int32_t count, int32_t* stream, int8_t* out) {
  const int32_t padded = gemm_s8_mla_padded(layer.taps);
  McugenMlaTiles tiles;
  tiles.stream = stream;
  tiles.fours = static_cast<uint32_t>(padded / 4 - 1);
  tiles.zero_point = layer.output_zero_point;
  for (int32_t c = first; c < end; c += kGemmS8MlaChannels) {
    if (c + kGemmS8MlaChannels > end) {
      c = end - kGemmS8MlaChannels;  // an odd one: once more with the one before
    }
    bool fit = true;
    bool exact = false;
    for (int32_t i = 0; i < kGemmS8MlaChannels; ++i) {
      const int32_t shift = layer.shifts[c + i];
      fit = fit && mla_rescales(layer.multipliers[c + i], shift, bias_of(layer, c + i), layer.taps);
      exact = exact || mla_rescales_exactly(shift, layer.output_zero_point, layer.activation_min);
    }
    int32_t sums[kGemmS8MlaChannels];
    if (!fit || !write_weights(layer, c, stream + kGemmS8MlaChannels, sums)) {
      for (int32_t i = 0; i < kGemmS8MlaChannels; ++i) {
        one_channel(layer, c + i, pixels, count, out + (c + i - first));
      }
      continue;
    }
    int32_t* scaling = stream + kGemmS8MlaChannels * (padded / 2 + 1);
    for (int32_t i = 0; i < kGemmS8MlaChannels; ++i) {
      stream[i] = bias_of(layer, c + i) - layer.input_zero_point * sums[i] + kRoom * (padded / 2);
      scaling = mla_write_scaling(layer.multipliers[c + i], layer.shifts[c + i],
                                  layer.output_zero_point, exact, scaling);
    }
    const int32_t pairs = count / 2;
    tiles.pixels = pixels;
    tiles.pixel_step = layer.out_step;
    tiles.out = out + (c - first);
    tiles.pixels_end = pixels + pairs * padded;
    if (pairs != 0) {
      run(exact, tiles);
    }
    if (count % 2 != 0) {
      tiles.pixels = tiles.pixels_end;
      tiles.pixels_end = tiles.pixels + padded;
      tiles.out += (count >= 2 ? count - 2 : 0) * layer.out_step;
      tiles.pixel_step = count >= 2 ? layer.out_step : 0;
      run(exact, tiles);
    }
  }
}

}  // namespace mcugen
