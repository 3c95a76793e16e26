// SPDX-License-Identifier: BSD-3-Clause

// Nearly all time is spent here; the rest of the firmware is built for size.
#pragma GCC optimize("O2")

#include <kernels/forms.h>
#include <kernels/linear_s8.h>
#include <kernels/requantize.h>

namespace mcugen {

void linear_s8_scalar(const LinearS8Params& p, const int8_t* input, const int8_t* weights,
                      const int32_t* bias, int8_t* output) {
  if (!forms::kLinearScalar) {
    forms::left_out("linear_s8_scalar");
  }
  const int32_t in_ch = p.in_ch;
  const int32_t input_zero_point = p.input_zero_point;
  const int32_t weights_zero_point = p.weights_zero_point;
  for (int32_t b = 0; b < p.batch; ++b, input += in_ch) {
    const int8_t* w = weights;
    for (int32_t o = 0; o < p.out_ch; ++o, w += in_ch) {
      uint32_t acc = bias != nullptr ? static_cast<uint32_t>(bias[o]) : 0;
      for (int32_t i = 0; i < in_ch; ++i) {
        acc += static_cast<uint32_t>((input[i] - input_zero_point) * (w[i] - weights_zero_point));
      }
      const LinearS8Scale scale(p, o);
      const int32_t scaled = requantize(static_cast<int32_t>(acc), scale.multiplier, scale.shift);
      *output++ = static_cast<int8_t>(
          clamp(wrapping_add(scaled, p.output_zero_point), p.activation_min, p.activation_max));
    }
  }
}

}  // namespace mcugen
