// SPDX-License-Identifier: BSD-3-Clause
#include <ops/common/elements.h>

namespace mcugen::ops {

size_t element_bytes(ScalarType dtype) {
  switch (dtype) {
    case ScalarType::Byte:
    case ScalarType::Char:
    case ScalarType::Bool:
      return 1;
    case ScalarType::Short:
    case ScalarType::Half:
      return 2;
    case ScalarType::Int:
    case ScalarType::Float:
      return 4;
    case ScalarType::Long:
    case ScalarType::Double:
      return 8;
    default:
      return 0;
  }
}

ScalarType promote(ScalarType a, ScalarType b) {
  if (a == b) {
    return a;
  }
  if (a == ScalarType::Float || b == ScalarType::Float) {
    return ScalarType::Float;
  }
  if (a == ScalarType::Bool || b == ScalarType::Bool) {
    return a == ScalarType::Bool ? b : a;
  }
  // Integers: the wider one. Of int8 and uint8 neither holds the other; torch takes int16, in which
  // sums of both fit, and so they do in int32.
  const size_t a_bytes = element_bytes(a);
  const size_t b_bytes = element_bytes(b);
  return a_bytes == b_bytes ? ScalarType::Short : a_bytes > b_bytes ? a : b;
}

int64_t float_to_int(double value) {
  if (value != value) {
    return 0;
  }
  if (value >= 9223372036854775808.0) {
    return INT64_MAX;
  }
  return value < -9223372036854775808.0 ? INT64_MIN : static_cast<int64_t>(value);
}

int64_t wrap_int(int64_t value, ScalarType dtype) {
  switch (dtype) {
    case ScalarType::Byte:
      return static_cast<uint8_t>(value);
    case ScalarType::Char:
      return static_cast<int8_t>(value);
    case ScalarType::Short:
      return static_cast<int16_t>(value);
    case ScalarType::Int:
      return static_cast<int32_t>(value);
    case ScalarType::Bool:
      return value != 0 ? 1 : 0;
    default:
      return value;
  }
}

int64_t load_int(const void* data, ScalarType dtype, size_t index) {
  switch (dtype) {
    case ScalarType::Byte:
      return static_cast<const uint8_t*>(data)[index];
    case ScalarType::Char:
      return static_cast<const int8_t*>(data)[index];
    case ScalarType::Int:
      return static_cast<const int32_t*>(data)[index];
    case ScalarType::Long:
      return static_cast<const int64_t*>(data)[index];
    case ScalarType::Bool:
      // Not as a bool: a byte from a file or the wire may be neither 0 nor 1.
      return static_cast<const uint8_t*>(data)[index] != 0 ? 1 : 0;
    case ScalarType::Float:
      return float_to_int(static_cast<double>(static_cast<const float*>(data)[index]));
    default:
      return 0;
  }
}

float load_float(const void* data, ScalarType dtype, size_t index) {
  return dtype == ScalarType::Float ? static_cast<const float*>(data)[index]
                                    : static_cast<float>(load_int(data, dtype, index));
}

void store_int(void* data, ScalarType dtype, size_t index, int64_t value) {
  switch (dtype) {
    case ScalarType::Byte:
    case ScalarType::Char:
      static_cast<uint8_t*>(data)[index] = static_cast<uint8_t>(value);
      break;
    case ScalarType::Int:
      static_cast<int32_t*>(data)[index] = static_cast<int32_t>(value);
      break;
    case ScalarType::Long:
      static_cast<int64_t*>(data)[index] = value;
      break;
    case ScalarType::Bool:
      static_cast<uint8_t*>(data)[index] = value != 0 ? 1 : 0;
      break;
    case ScalarType::Float:
      static_cast<float*>(data)[index] = static_cast<float>(value);
      break;
    default:
      break;
  }
}

void store_float(void* data, ScalarType dtype, size_t index, float value) {
  if (dtype == ScalarType::Float) {
    static_cast<float*>(data)[index] = value == value ? value : __builtin_nanf("");
  } else if (dtype == ScalarType::Bool) {
    store_int(data, dtype, index, value != 0.0f ? 1 : 0);
  } else {
    store_int(data, dtype, index, float_to_int(static_cast<double>(value)));
  }
}

bool may_store(ScalarType computed, ScalarType out) {
  if (computed == ScalarType::Float) {
    return out == ScalarType::Float;
  }
  return computed == ScalarType::Bool || out != ScalarType::Bool;
}

}  // namespace mcugen::ops
