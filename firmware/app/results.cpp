// SPDX-License-Identifier: BSD-3-Clause
#include <app/app_config.h>
#include <app/results.h>

#include <cstring>

namespace mcugen {
namespace {

// executorch::aten::ScalarType
constexpr int8_t kUint8 = 0;
constexpr int8_t kInt8 = 1;
constexpr int8_t kFloat32 = 6;

// e^x for x <= 0, relative error below 2e-7: three decimals are printed. libm's expf costs 700
// bytes more and 112 bytes of RAM for errno.
float exp_of_negative(float x) {
  constexpr float kLog2E = 1.44269504f;
  if (!(x > -80.0f)) {
    return x != x ? x : 0.0f;
  }
  // e^x = 2^n * 2^fraction, with n an integer and fraction in (-1, 0].
  const float exponent = x * kLog2E;
  const int32_t n = static_cast<int32_t>(exponent);
  // x - n ln 2 in two parts, as n times the first is exact; then Taylor around 0 up to y^8 / 8!,
  // for y in (-0.7, 0]: the next term is 0.7^9 / 9! < 1.2e-7.
  const float y =
      (x - static_cast<float>(n) * 0.693145752f) - static_cast<float>(n) * 1.42860677e-6f;
  float series = 1.0f;
  for (int32_t k = 8; k > 0; --k) {
    series = 1.0f + series * y / static_cast<float>(k);
  }
  const uint32_t scale_bits = static_cast<uint32_t>(n + 127) << 23;
  float scale;
  std::memcpy(&scale, &scale_bits, sizeof(scale));
  return series * scale;
}

size_t element_count(const TensorBytes& tensor) {
  return tensor.dtype == kFloat32 ? tensor.bytes / sizeof(float) : tensor.bytes;
}

float element(const TensorBytes& tensor, size_t index) {
  if (tensor.dtype == kFloat32) {
    float value;
    std::memcpy(&value, tensor.data + index * sizeof(float), sizeof(value));
    return value;
  }
  const int32_t value = tensor.dtype == kInt8 ? static_cast<int8_t>(tensor.data[index])
                                              : static_cast<int32_t>(tensor.data[index]);
  return kAppConfig.output_scale * static_cast<float>(value - kAppConfig.output_zero_point);
}

}  // namespace

bool results_supported(const TensorBytes& tensor) {
  return tensor.dtype == kInt8 || tensor.dtype == kUint8 || tensor.dtype == kFloat32;
}

void results_write(TextWriter& out, const TensorBytes& tensor) {
  const size_t count = element_count(tensor);
  float largest = 0.0f;
  float sum = 1.0f;
  if (kAppConfig.softmax && count != 0) {
    largest = element(tensor, 0);
    for (size_t i = 1; i < count; ++i) {
      const float value = element(tensor, i);
      largest = value > largest ? value : largest;
    }
    sum = 0.0f;
    for (size_t i = 0; i < count; ++i) {
      sum += exp_of_negative(element(tensor, i) - largest);
    }
  }
  for (size_t i = 0; i < count; ++i) {
    if (i != 0) {
      out.character(',');
    }
    const float value = element(tensor, i);
    out.fixed3(kAppConfig.softmax ? exp_of_negative(value - largest) / sum : value);
  }
}

}  // namespace mcugen
