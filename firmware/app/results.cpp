// SPDX-License-Identifier: BSD-3-Clause
#include <app/app_config.h>
#include <app/results.h>

#include <cmath>
#include <cstring>

namespace mcugen {
namespace {

// executorch::aten::ScalarType
constexpr int8_t kUint8 = 0;
constexpr int8_t kInt8 = 1;
constexpr int8_t kFloat32 = 6;

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
      largest = std::fmax(largest, element(tensor, i));
    }
    sum = 0.0f;
    for (size_t i = 0; i < count; ++i) {
      sum += std::exp(element(tensor, i) - largest);
    }
  }
  for (size_t i = 0; i < count; ++i) {
    if (i != 0) {
      out.character(',');
    }
    const float value = element(tensor, i);
    out.fixed3(kAppConfig.softmax ? std::exp(value - largest) / sum : value);
  }
}

}  // namespace mcugen
