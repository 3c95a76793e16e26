// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>

namespace mcugen {

struct LinearS8Params {
  int32_t batch;
  int32_t in_ch;
  int32_t out_ch;
  int32_t input_zero_point;    ///< [-128, 127]
  int32_t weights_zero_point;  ///< [-128, 127]
  int32_t output_zero_point;   ///< [-128, 127]
  int32_t activation_min, activation_max;
  bool per_channel;  ///< Whether the two arrays have out_ch entries, or one.
  /// Held as ExecuTorch's int[] arguments hold them. Values as for requantize().
  const int64_t* multipliers;
  const int64_t* shifts;
  /// Or, unless null, out_ch entries each, and the two above are not read.
  const int32_t* channel_multipliers;
  const int32_t* channel_shifts;
};

/// What output o is rescaled by.
struct LinearS8Scale {
  int32_t multiplier;
  int32_t shift;

  LinearS8Scale(const LinearS8Params& p, int32_t o) {
    if (p.channel_multipliers != nullptr) {
      multiplier = p.channel_multipliers[o];
      shift = p.channel_shifts[o];
    } else {
      const int32_t at = p.per_channel ? o : 0;
      multiplier = static_cast<int32_t>(p.multipliers[at]);
      shift = static_cast<int32_t>(p.shifts[at]);
    }
  }
};

/// Fully connected layer:
///   output[b, o] = clamp(requantize(acc) + output_zero_point),
///   acc = bias[o] + sum over i of (input[b, i] - input_zero_point) * (weights[o, i] -
///   weights_zero_point).
///
/// A `kernel_sum`, which `.pte` files for Helium carry in place of the bias, is
/// bias[o] - input_zero_point * sum(weights[o]): pass it as `bias` with input_zero_point = 0.
///
/// @param[in] input int8[batch, in_ch].
/// @param[in] weights int8[out_ch, in_ch].
/// @param[in] bias int32[out_ch], or null for none.
/// @param[out] output int8[batch, out_ch]; must not overlap the inputs.
///
/// The accumulator wraps at 32 bits. Cost: batch * in_ch * out_ch MACs.
[[gnu::noinline]] void linear_s8_scalar(const LinearS8Params& params, const int8_t* input,
                                        const int8_t* weights, const int32_t* bias, int8_t* output);

/// The same by SMLAD, four rows of weights at a time.
void linear_s8_dsp(const LinearS8Params& params, const int8_t* input, const int8_t* weights,
                   const int32_t* bias, int8_t* output);

/// The same for cores without the DSP extension, four rows of weights at a time.
void linear_s8_mla(const LinearS8Params& params, const int8_t* input, const int8_t* weights,
                   const int32_t* bias, int8_t* output);

/// The same by Helium, four rows of weights at a time. Takes the scalar form for fewer rows and for
/// a shift above -1.
void linear_s8_mve(const LinearS8Params& params, const int8_t* input, const int8_t* weights,
                   const int32_t* bias, int8_t* output);

}  // namespace mcugen
