// SPDX-License-Identifier: BSD-3-Clause
#include <ops/quantized/quantized_args.h>

#include <cstring>

namespace mcugen::ops {

int32_t load_quantized(const Tensor* tensor, int32_t index) {
  if (tensor->scalar_type() == ScalarType::Short) {
    return tensor->const_data_ptr<int16_t>()[index];
  }
  return static_cast<int32_t>(
      load_int(tensor->const_data_ptr(), tensor->scalar_type(), static_cast<size_t>(index)));
}

void store_quantized(const Tensor* tensor, int32_t index, int32_t value) {
  if (tensor->scalar_type() == ScalarType::Short) {
    tensor->mutable_data_ptr<int16_t>()[index] = static_cast<int16_t>(value);
    return;
  }
  store_int(tensor->mutable_data_ptr(), tensor->scalar_type(), static_cast<size_t>(index), value);
}

double load_scale(const Tensor* tensor, int32_t index) {
  return tensor->scalar_type() == ScalarType::Double
             ? tensor->const_data_ptr<double>()[index]
             : static_cast<double>(tensor->const_data_ptr<float>()[index]);
}

int32_t load_zero_point(const Tensor* tensor, int32_t index) {
  const int64_t value =
      load_int(tensor->const_data_ptr(), tensor->scalar_type(), static_cast<size_t>(index));
  return static_cast<int32_t>(value < INT32_MIN   ? INT32_MIN
                              : value > INT32_MAX ? INT32_MAX
                                                  : value);
}

namespace {

uint32_t sign_and_exponent(double value) {
  uint64_t bits;
  memcpy(&bits, &value, sizeof bits);
  return static_cast<uint32_t>(bits >> 52);
}

}  // namespace

bool is_finite(double scale) { return (sign_and_exponent(scale) & 0x7ff) != 0x7ff; }

bool is_divisor(double scale) {
  const uint32_t exponent = sign_and_exponent(scale);
  return exponent >= 1023 - 126 && exponent < 1023 + 126;
}

QuantRange quant_range(OpArgs& args, size_t index, ScalarType dtype) {
  int32_t low = INT32_MIN;
  int32_t high = INT32_MAX;
  switch (dtype) {
    case ScalarType::Byte:
      low = 0;
      high = UINT8_MAX;
      break;
    case ScalarType::Char:
      low = INT8_MIN;
      high = INT8_MAX;
      break;
    case ScalarType::Short:
      low = INT16_MIN;
      high = INT16_MAX;
      break;
    default:
      break;
  }
  const int32_t min = args.integer(index, low, high);
  return {min, args.integer(index + 1, min, high)};
}

}  // namespace mcugen::ops
