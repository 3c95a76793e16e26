// SPDX-License-Identifier: BSD-3-Clause

#pragma GCC optimize("O2", "no-tree-vectorize")

#include <kernels/quantize.h>
#include <kernels/requantize.h>

namespace mcugen {
namespace {

/// @returns `value` rounded half to even; any integer of its sign beyond 2^20, and any for NaN.
inline int32_t rounded(float value) {
#if defined(__ARM_FP)
  int32_t result;
  asm("vcvtr.s32.f32 %0, %1" : "=t"(result) : "t"(value));  // saturates; halves to even from reset
  return result;
#else
  // Comparing and adding floats costs more without an FPU than looking at the bits.
  uint32_t bits;
  memcpy(&bits, &value, sizeof bits);
  const int32_t exponent = static_cast<int32_t>(bits >> 23 & 0xff) - 127;
  if (exponent < -1) {
    return 0;
  }
  uint32_t size = 1 << 20;
  if (exponent < 20) {
    const uint32_t mantissa = (bits & 0x7fffff) | 0x800000;
    size = mantissa >> (23 - exponent);
    const uint32_t fraction = mantissa << (9 + exponent);
    size += (fraction | (size & 1)) > 0x80000000 ? 1 : 0;
  }
  return (bits >> 31) != 0 ? -static_cast<int32_t>(size) : static_cast<int32_t>(size);
#endif
}

inline bool is_nan(float value) {
  uint32_t bits;
  memcpy(&bits, &value, sizeof bits);
  return bits << 1 > 0xff000000;
}

template <typename T>
void quantize(const QuantizeParams& p, int32_t count, const float* input, T* output) {
  // Rounding and clamping to integers commute, so clamp before adding: then nothing overflows.
  const int32_t zero_point = p.zero_point;
  const int32_t min = p.quant_min - zero_point;
  const int32_t max = p.quant_max - zero_point;
  const float inverse_scale = p.inverse_scale;
  for (T* const end = output + count; output != end; ++output) {
    const float value = *input++ * inverse_scale;
    *output = is_nan(value) ? 0 : static_cast<T>(clamp(rounded(value), min, max) + zero_point);
  }
}

template <typename T>
void dequantize(float scale, int32_t zero_point, int32_t count, const T* input, float* output) {
  for (float* const end = output + count; output != end; ++output) {
    *output = static_cast<float>(*input++ - zero_point) * scale;
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
