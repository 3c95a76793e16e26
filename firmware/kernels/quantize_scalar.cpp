// SPDX-License-Identifier: BSD-3-Clause
#include <kernels/quantize.h>
#include <kernels/requantize.h>

namespace mcugen {
namespace {

template <typename T>
void quantize(const QuantizeParams& p, int32_t count, const float* input, T* output) {
  // Rounding and clamping to integers commute, so clamp first: then the rounding is in range.
  const float min = static_cast<float>(p.quant_min - p.zero_point);
  const float max = static_cast<float>(p.quant_max - p.zero_point);
  for (; count > 0; --count) {
    float value = *input++ * p.inverse_scale;
    if (value != value) {
      *output++ = 0;
      continue;
    }
    value = value < min ? min : value > max ? max : value;
    *output++ = static_cast<T>(round_half_even(value) + p.zero_point);
  }
}

template <typename T>
void dequantize(float scale, int32_t zero_point, int32_t count, const T* input, float* output) {
  for (; count > 0; --count) {
    *output++ = static_cast<float>(*input++ - zero_point) * scale;
  }
}

}  // namespace

void quantize_f32_s8_scalar(const QuantizeParams& params, int32_t count, const float* input,
                            int8_t* output) {
  quantize(params, count, input, output);
}

void quantize_f32_s16_scalar(const QuantizeParams& params, int32_t count, const float* input,
                             int16_t* output) {
  quantize(params, count, input, output);
}

void dequantize_s8_f32_scalar(float scale, int32_t zero_point, int32_t count, const int8_t* input,
                              float* output) {
  dequantize(scale, zero_point, count, input, output);
}

void dequantize_s16_f32_scalar(float scale, int32_t zero_point, int32_t count, const int16_t* input,
                               float* output) {
  dequantize(scale, zero_point, count, input, output);
}

double reciprocal(double value) {
  constexpr uint64_t kHiddenBit = uint64_t{1} << 52;
  uint64_t bits;
  memcpy(&bits, &value, sizeof bits);
  const uint64_t divisor = (bits & (kHiddenBit - 1)) | kHiddenBit;
  // value = divisor * 2^(exponent - 1075). Long division of 2^105 by the divisor gives the 53 bits
  // of the mantissa; for a divisor of exactly 2^52, one more, which carries into the exponent.
  uint64_t remainder = kHiddenBit;
  uint64_t quotient = 0;
  for (int32_t bit = 0; bit < 53; ++bit) {
    remainder <<= 1;
    quotient <<= 1;
    if (remainder >= divisor) {
      remainder -= divisor;
      quotient |= 1;
    }
  }
  remainder <<= 1;
  if (remainder > divisor || (remainder == divisor && (quotient & 1) != 0)) {
    ++quotient;
  }
  const uint64_t exponent = 2045 - (bits >> 52);  // of a result in [1/2, 1) times a power of two
  bits = (exponent << 52) + (quotient - kHiddenBit);
  memcpy(&value, &bits, sizeof bits);
  return value;
}

}  // namespace mcugen
