// SPDX-License-Identifier: BSD-3-Clause

#if !defined(MCUGEN_SMALL_KERNELS)
#pragma GCC optimize("O2")
#endif

#include <kernels/conv_runs.h>
#include <kernels/forms.h>
#include <kernels/gemm_s8_dsp.h>
#include <kernels/loops_four_dsp.h>
#include <kernels/packed_conv_form.h>
#include <kernels/second_rounding.h>

namespace mcugen {
namespace {

/// Weights are multiplied by 2^bits: by a shift, and where results are rounded twice.
constexpr int32_t kShiftBits = 8;
constexpr int32_t kTwiceBits = 0;

/// Least multiplier but for 0: others are not normalized.
constexpr int32_t kLeastMultiplier = 1 << 30;

/// Writes the weights of two channels as McugenDspTiles wants them, not scaled. @returns their end.
int16_t* widen(const GemmS8Layer& layer, const int8_t* row0, const int8_t* row1, int16_t* out) {
  const int32_t step = layer.tap_step;
  if (layer.nine) {
    int8_t ninth[2][4];
    for (int32_t i = 0; i < 4; ++i) {
      ninth[0][i] = i == 3 ? 0 : row0[9 * i + 8];
      ninth[1][i] = i == 3 ? 0 : row1[9 * i + 8];
    }
    out = mcugen_dsp_widen(row0, row1, out, 8, 0, 3, 1);
    return mcugen_dsp_widen(ninth[0], ninth[1], out, 4, 0, 1, 0);
  }
  if (!forms::kDepthwiseAsConv || step == 1) {
    return mcugen_dsp_widen(row0, row1, out, static_cast<uint32_t>(layer.run), 0, layer.runs, 0);
  }
  const int32_t padded = padded_run(layer.run);
  for (int32_t i = 0; i < layer.runs * padded; ++i) {
    // k and k + 2 in one word, then k + 1 and k + 3.
    const int32_t k = i % padded;
    int16_t* const at = out + (i & ~3) * 2 + (i & 1) * 4 + (i >> 1 & 1);
    at[0] = at[2] = 0;
    if (k < layer.run) {
      at[0] = *row0;
      at[2] = *row1;
      row0 += step;
      row1 += step;
    }
  }
  return out + 2 * layer.runs * padded;
}

/// The form of McugenDspTiles that a channel takes.
uint32_t form_of(const GemmS8Layer& layer, int32_t channel) {
  const uint32_t form = static_cast<uint32_t>(-layer.shifts[channel] - kMcugenDspShift);
  return layer.by_shift && form < kMcugenDspForms ? form : kMcugenDspRoundTwice;
}

/// @returns the offset by which one rounding does for v = acc * 2^kShiftBits >= 0, the zero point
///     included: (v * multiplier / 2^32 + offset) >> (kShiftBits + shift - 1). The two nested ones
///     of requantize() collapse into the floor of
///     (acc * multiplier + 2^30 + 2^(30 + shift)) / 2^(31 + shift).
int32_t one_rounding_offset(int32_t shift, int32_t zero_point) {
  return (1 << (kShiftBits - 2)) + (2 * zero_point + 1) * (1 << (kShiftBits + shift - 2));
}

/// Writes what McugenDspTiles wants of two channels, their weights by words.
inline void write_words(const GemmS8Layer& layer, int32_t first, int32_t second, int32_t* stream) {
  stream[0] = stream[1] = 0;
  if (layer.bias != nullptr) {
    stream[0] = layer.bias[first] * (1 << kShiftBits);
    stream[1] = layer.bias[second] * (1 << kShiftBits);
  }
  const int8_t* const weights = layer.weights;
  int32_t* const end = reinterpret_cast<int32_t*>(mcugen_dsp_scale_words(
      weights + first * layer.channel_step, weights + second * layer.channel_step,
      reinterpret_cast<int16_t*>(stream + 2), layer.runs * layer.run));
  end[0] = layer.multipliers[first];
  end[2] = layer.multipliers[second];
  end[1] = end[3] = one_rounding_offset(-layer.shifts[first], layer.output_zero_point);
}

/// The same, whatever the form.
__attribute__((noinline)) void write_stream(const GemmS8Layer& layer, int32_t first, int32_t second,
                                            uint32_t form, int32_t* stream) {
  const bool twice = form == kMcugenDspRoundTwice;
  const int32_t bits = twice ? kTwiceBits : kShiftBits;
  stream[0] = stream[1] = 0;
  if (layer.bias != nullptr) {
    stream[0] = layer.bias[first] * (1 << bits);
    stream[1] = layer.bias[second] * (1 << bits);
  }
  int16_t* const weights = reinterpret_cast<int16_t*>(stream + 2);
  int32_t* const end =
      reinterpret_cast<int32_t*>(widen(layer, layer.weights + first * layer.channel_step,
                                       layer.weights + second * layer.channel_step, weights));
  if (!twice) {
    for (int32_t* word = stream + 2; word != end; ++word) {
      *word = static_cast<int32_t>(static_cast<uint32_t>(*word) << kShiftBits & 0xff00ff00);
    }
    end[0] = layer.multipliers[first];
    end[2] = layer.multipliers[second];
    end[1] = end[3] = one_rounding_offset(-layer.shifts[first], layer.output_zero_point);
    return;
  }
  for (int32_t i = 0; i < 2; ++i) {
    const int32_t channel = i == 0 ? first : second;
    const int32_t multiplier = layer.multipliers[channel];
    end[2 * i] = static_cast<int32_t>(2 * static_cast<uint32_t>(multiplier));
    // With nothing to multiply by, all results are 0.
    end[2 * i + 1] = multiplier == 0 ? 0 : second_rounding_factor(-layer.shifts[channel]);
  }
  end[4] = layer.output_zero_point;
}

static_assert(kPackedConvRoundings == kMcugenDspForms && kPackedConvShift == kMcugenDspShift &&
              kPackedConvRoundTwice == kMcugenDspRoundTwice);

/// All pixels, for two channels at a time.
class Products {
 public:
  Products(const int16_t* pixels, int32_t count, int32_t padded, int32_t out_step)
      : fours_(gemm_s8_fours(count)),
        pixels_(pixels),
        fours_end_(pixels + 4 * fours_ * padded),
        pairs_(fours_ == 0 ? count : gemm_s8_pairs_behind(count)),
        pairs_out_((count - pairs_) * out_step) {
    tiles_.fours = static_cast<uint32_t>(padded / 4 - 1);
    tiles_.pixel_step = count == 1 ? 0 : out_step;
    pairs_end_ = fours_end_ + (count == 1 ? 2 : pairs_ & ~1) * padded;
    tiles_.odd = count == 1 ? 0 : pairs_ & 1;
  }

  /// @param[in] out Of pixel 0 and channel 0.
  void run(const int32_t* stream, int32_t first, int32_t second, uint32_t form, int8_t* out) {
    tiles_.stream = stream;
    tiles_.channel_step = second - first;
    tiles_.form = form;
    if (forms::kFourPixels && fours_ != 0) {
      tiles_.pixels = pixels_;
      tiles_.pixels_end = fours_end_;
      tiles_.out = out + first;
      mcugen_dsp_tiles_of_four(&tiles_);
    }
    if (!forms::kFourPixels || pairs_ != 0) {
      tiles_.pixels = fours_end_;
      tiles_.pixels_end = pairs_end_;
      tiles_.out = out + pairs_out_ + first;
      mcugen_dsp_tiles(&tiles_);
    }
  }

 private:
  const int32_t fours_;
  const int16_t* const pixels_;
  const int16_t* const fours_end_;
  const int32_t pairs_;      ///< Pixels that lie in pairs.
  const int32_t pairs_out_;  ///< Bytes from pixel 0 of the output to theirs.
  const int16_t* pairs_end_;
  McugenDspTiles tiles_;
};

/// Computes all channels, of weights packed ahead of time.
void run_packed(const GemmS8Layer& layer, int32_t padded, Products& products, int8_t* out) {
  const int32_t* words = layer.packed;
  for (int32_t left = layer.channels; left > 0; left -= 2) {
    const int32_t first = words[0] & 0xffff;
    const int32_t second = static_cast<int32_t>(static_cast<uint32_t>(words[0]) >> 16);
    products.run(words + 2, first, second, static_cast<uint32_t>(words[1]), out);
    words += packed_conv_pairs_words(padded);
  }
}

}  // namespace

bool gemm_s8_prepare(GemmS8Layer& layer) {
  layer.by_words =
      layer.run % 4 == 0 && layer.runs * layer.run % 8 == 0 && layer.tap_step == 1 &&
      (reinterpret_cast<uintptr_t>(layer.weights) | static_cast<uintptr_t>(layer.channel_step)) %
              4 ==
          0;
  const int32_t below = layer.input_zero_point + 128;
  const int32_t above = 127 - layer.input_zero_point;
  uint32_t most_bias = 0;
  for (int32_t c = 0; c < layer.channels; ++c) {
    if (layer.shifts[c] > -1 ||
        (layer.multipliers[c] < kLeastMultiplier && layer.multipliers[c] != 0)) {
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
  const int32_t padded = layer.runs * padded_run(layer.run);
  out -= first;
  Products products(pixels, count, padded, layer.out_step);
  if (forms::kPackedGemm && layer.packed != nullptr) {
    run_packed(layer, padded, products, out);
  }
  if (!forms::kGemm || layer.packed != nullptr) {
    return;
  }
  // Channels of one form go together; what is left over can always be rounded twice.
  int32_t waiting[kMcugenDspForms];
  for (int32_t& each : waiting) {
    each = -1;
  }
  for (int32_t c = first; c < end; ++c) {
    const uint32_t form = form_of(layer, c);
    if (waiting[form] < 0) {
      waiting[form] = c;
    } else {
      const int32_t other = waiting[form];
      waiting[form] = -1;
      if (layer.by_words && form != kMcugenDspRoundTwice) {
        write_words(layer, other, c, stream);
      } else {
        write_stream(layer, other, c, form, stream);
      }
      products.run(stream, other, c, form, out);
    }
  }
  int32_t left = -1;
  for (const int32_t each : waiting) {
    if (left < 0) {
      left = each;
    } else if (each >= 0) {
      write_stream(layer, left, each, kMcugenDspRoundTwice, stream);
      products.run(stream, left, each, kMcugenDspRoundTwice, out);
      left = -1;
    }
  }
  if (left >= 0) {
    write_stream(layer, left, left, kMcugenDspRoundTwice, stream);
    products.run(stream, left, left, kMcugenDspRoundTwice, out);
  }
}

}  // namespace mcugen
