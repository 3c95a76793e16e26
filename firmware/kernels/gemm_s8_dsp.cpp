// SPDX-License-Identifier: BSD-3-Clause

#pragma GCC optimize("O2")

#include <kernels/gemm_s8_dsp.h>
#include <kernels/loops_dsp.h>
#include <kernels/one_floor.h>

namespace mcugen {
namespace {

/// Weights are multiplied by 2^bits: by a shift, and where results are rounded twice.
constexpr int32_t kShiftBits = 8;
constexpr int32_t kTwiceBits = 1;

/// Writes the weights of two channels as McugenDspTiles wants them.
/// @returns their end.
int32_t* expand(const GemmS8Layer& layer, int32_t first, int32_t second, int32_t bits,
                int32_t* words) {
  const int8_t* row0 = layer.weights + first * layer.channel_step;
  const int8_t* row1 = layer.weights + second * layer.channel_step;
  int16_t* out = reinterpret_cast<int16_t*>(words);
  if (layer.tap_step == 1) {
    const uint32_t run = static_cast<uint32_t>(layer.run);
    out = bits == kShiftBits
              ? mcugen_dsp_scale_8(row0, row1, out, run, kMcugenDspScale8, layer.runs, 0)
              : mcugen_dsp_scale_1(row0, row1, out, run, 0, layer.runs, 0);
    return reinterpret_cast<int32_t*>(out);
  }
  const int32_t scale = 1 << bits;
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
  return reinterpret_cast<int32_t*>(out);
}

/// The form of McugenDspTiles that a channel takes.
uint32_t form_of(const GemmS8Layer& layer, int32_t channel) {
  const uint32_t form = static_cast<uint32_t>(-layer.shifts[channel] - kMcugenDspShift);
  return layer.by_shift && form < kMcugenDspForms ? form : kMcugenDspRoundTwice;
}

/// Writes what McugenDspTiles wants of two channels. @returns the biases and the weights' end.
void write_stream(const GemmS8Layer& layer, int32_t first, int32_t second, uint32_t form,
                  int32_t* stream) {
  const bool twice = form == kMcugenDspRoundTwice;
  const int32_t bits = twice ? kTwiceBits : kShiftBits;
  stream[0] = stream[1] = 0;
  if (layer.bias != nullptr) {
    stream[0] = layer.bias[first] * (1 << bits);
    stream[1] = layer.bias[second] * (1 << bits);
  }
  int32_t* const end = expand(layer, first, second, bits, stream + 2);
  end[0] = layer.multipliers[first];
  end[2] = layer.multipliers[second];
  if (!twice) {
    end[1] = end[3] = one_floor_offset(bits, bits - layer.shifts[first], layer.output_zero_point);
    return;
  }
  end[4] = layer.output_zero_point;
  for (int32_t i = 0; i < 2; ++i) {
    const int32_t shift = -layer.shifts[i == 0 ? first : second];
    if (shift > 31) {
      end[2 * i] = 0;  // as all results are
    }
    end[2 * i + 1] = static_cast<int32_t>(0u - (1u << ((32 - shift) & 31)));
  }
}

/// Computes two channels of all pixels.
/// @param[in,out] tiles As gemm_s8_run() sets it up.
void run_pair(const GemmS8Layer& layer, int32_t first, int32_t second, uint32_t form,
              McugenDspTiles& tiles, int32_t* stream, int8_t* out) {
  write_stream(layer, first, second, form, stream);
  tiles.out = out + first;
  tiles.channel_step = second - first;
  tiles.form = form;
  mcugen_dsp_tiles(&tiles);
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
  // An input less its zero point times a weight, at most; and the sum.
  const int64_t product = static_cast<int64_t>(below > above ? below : above) * 128;
  const int64_t sum = product * layer.runs * layer.run + most_bias + 1;
  layer.by_shift =
      layer.output_zero_point <= layer.activation_min && sum < INT64_C(1) << (31 - kShiftBits);
  return sum < INT64_C(1) << (31 - kTwiceBits);
}

void gemm_s8_run(const GemmS8Layer& layer, int32_t first, int32_t end, const int16_t* pixels,
                 int32_t count, int32_t* stream, int8_t* out) {
  const int32_t padded = layer.runs * gemm_s8_padded(layer.run);
  out -= first;
  McugenDspTiles tiles;
  tiles.pixels = pixels;
  tiles.stream = stream;
  tiles.pixel_step = count == 1 ? 0 : layer.out_step;
  tiles.pixels_end = pixels + (count == 1 ? 2 : count & ~1) * padded;
  tiles.fours = static_cast<uint32_t>(padded / 4 - 1);
  tiles.odd = count == 1 ? 0 : count & 1;
  // Channels of one form go together; what is left over can always be rounded twice.
  int16_t waiting[kMcugenDspForms];
  for (int16_t& each : waiting) {
    each = -1;
  }
  for (int32_t c = first; c < end; ++c) {
    const uint32_t form = form_of(layer, c);
    if (waiting[form] < 0) {
      waiting[form] = static_cast<int16_t>(c);
    } else {
      run_pair(layer, waiting[form], c, form, tiles, stream, out);
      waiting[form] = -1;
    }
  }
  int32_t left = -1;
  for (const int16_t each : waiting) {
    if (left < 0) {
      left = each;
    } else if (each >= 0) {
      run_pair(layer, left, each, kMcugenDspRoundTwice, tiles, stream, out);
      left = -1;
    }
  }
  if (left >= 0) {
    run_pair(layer, left, left, kMcugenDspRoundTwice, tiles, stream, out);
  }
}

}  // namespace mcugen
