// SPDX-License-Identifier: BSD-3-Clause
#include <app/text_writer.h>
#include <port/divide.h>

#include <cstring>

namespace mcugen {
namespace {

constexpr const char kHexDigits[] = "0123456789abcdef";

}  // namespace

void TextWriter::text(const char* value) {
  for (; *value != '\0'; ++value) {
    character(*value);
  }
}

void TextWriter::json_string(const char* value) {
  character('"');
  for (; *value != '\0'; ++value) {
    if (*value == '"' || *value == '\\') {
      character('\\');
    }
    character(*value >= ' ' && *value <= '~' ? *value : '?');
  }
  character('"');
}

void TextWriter::decimal(uint64_t value) {
  char digits[20];
  int count = 0;
  do {
    digits[count++] = static_cast<char>('0' + divide_in_place(&value, 10));
  } while (value != 0);
  while (count > 0) {
    character(digits[--count]);
  }
}

void TextWriter::hex(uint32_t value, int digits) {
  text("0x");
  for (int shift = 4 * (digits - 1); shift >= 0; shift -= 4) {
    character(kHexDigits[(value >> shift) & 0xF]);
  }
}

void TextWriter::hex_byte(uint8_t value) {
  character(kHexDigits[value >> 4]);
  character(kHexDigits[value & 0xF]);
}

void TextWriter::fixed3(float value) {
  // value = mantissa * 2^exponent; everything below is exact up to the one rounding.
  uint32_t bits;
  std::memcpy(&bits, &value, sizeof(bits));
  const uint32_t biased_exponent = (bits >> 23) & 0xFF;
  uint64_t mantissa = bits & 0x7FFFFF;
  if (biased_exponent == 0xFF && mantissa != 0) {
    text("nan");
    return;
  }
  if ((bits >> 31) != 0) {
    character('-');
  }
  int exponent = -149;  // subnormal
  if (biased_exponent != 0) {
    mantissa |= 0x800000;
    exponent = static_cast<int>(biased_exponent) - 150;
  }
  if (exponent >= 53 - 23) {  // |value| >= 2^53, or infinite
    text("inf");
    return;
  }
  uint64_t thousandths = mantissa * 1000;  // < 2^34
  if (exponent >= 0) {
    thousandths <<= exponent;  // exponent <= 29: < 2^63
  } else if (exponent < -40) {
    thousandths = 0;  // < 2^34 / 2^41
  } else {
    const int shift = -exponent;
    const uint64_t rest = thousandths & ((uint64_t{1} << shift) - 1);
    const uint64_t half = uint64_t{1} << (shift - 1);
    thousandths >>= shift;
    if (rest > half || (rest == half && (thousandths & 1) != 0)) {
      ++thousandths;
    }
  }
  const uint32_t fraction = divide_in_place(&thousandths, 1000);
  decimal(thousandths);
  character('.');
  character(static_cast<char>('0' + fraction / 100));
  character(static_cast<char>('0' + fraction / 10 % 10));
  character(static_cast<char>('0' + fraction % 10));
}

void TextBuffer::put(void* self, char value) {
  TextBuffer* buffer = static_cast<TextBuffer*>(self);
  if (buffer->size_ < buffer->capacity_) {
    buffer->data_[buffer->size_++] = value;
  }
}

}  // namespace mcugen
