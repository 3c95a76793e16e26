// SPDX-License-Identifier: BSD-3-Clause
#include <executorch/runtime/core/exec_aten/util/tensor_shape_to_c_string.h>

namespace executorch::runtime {
namespace {

template <typename T>
std::array<char, kTensorShapeStringSizeLimit> to_c_string(Span<const T> shape) {
  std::array<char, kTensorShapeStringSizeLimit> out;
  char* at = out.data();
  *at++ = '(';
  if (shape.size() > kTensorDimensionLimit) {
    for (const char* text = "ERR: too many dimensions"; *text != '\0'; ++text) {
      *at++ = *text;
    }
  } else {
    for (size_t i = 0; i < shape.size(); ++i) {
      if (i != 0) {
        *at++ = ',';
        *at++ = ' ';
      }
      const T value = shape[i];
      if (value < 0 ||
          static_cast<uint64_t>(value) > internal::kMaximumPrintableTensorShapeElement) {
        *at++ = 'E';
        *at++ = 'R';
        *at++ = 'R';
        continue;
      }
      char digits[10];
      size_t count = 0;
      uint32_t rest = static_cast<uint32_t>(value);
      do {
        digits[count++] = static_cast<char>('0' + rest % 10);
        rest /= 10;
      } while (rest != 0);
      while (count != 0) {
        *at++ = digits[--count];
      }
    }
  }
  *at++ = ')';
  *at = '\0';
  return out;
}

}  // namespace

std::array<char, kTensorShapeStringSizeLimit> tensor_shape_to_c_string(
    Span<const std::int32_t> shape) {
  return to_c_string(shape);
}

std::array<char, kTensorShapeStringSizeLimit> tensor_shape_to_c_string(
    Span<const std::int64_t> shape) {
  return to_c_string(shape);
}

}  // namespace executorch::runtime
