// SPDX-License-Identifier: BSD-3-Clause
#include <executorch/runtime/platform/log.h>
#include <executorch/runtime/platform/platform.h>
#include <runtime/platform/fail.h>

#include <cstdarg>
#include <cstring>

// No newlib printf: its integer-only variant prints `%zu` as "zu" and then reads the wrong
// argument, and costs more flash than this file. What is understood: flags `0` and `-`, width and
// precision (both may be `*`), lengths hh h l ll z t j, conversions d i u x X o c s p f e g %.

namespace executorch::runtime {
namespace internal {
namespace {

constexpr size_t kMaxMessage = 160;

class Message {
 public:
  void put(char c) {
    if (length_ < kMaxMessage) {
      text_[length_++] = c;
    }
  }

  void pad(char c, int count) {
    for (; count > 0; --count) {
      put(c);
    }
  }

  void field(const char* digits, int length, int width, bool left, bool zero, bool negative) {
    const int padding = width - length - (negative ? 1 : 0);
    if (!left && !zero) {
      pad(' ', padding);
    }
    if (negative) {
      put('-');
    }
    if (!left && zero) {
      pad('0', padding);
    }
    for (int i = 0; i < length; ++i) {
      put(digits[i]);
    }
    if (left) {
      pad(' ', padding);
    }
  }

  const char* finish() {
    text_[length_] = '\0';
    return text_;
  }

  size_t length() const { return length_; }

 private:
  size_t length_ = 0;
  char text_[kMaxMessage + 1];
};

// Divides in place by a base of at most 16, 16 bits at a time: no 64-bit division routine.
// @returns the remainder.
unsigned divide(uint64_t* value, unsigned base) {
  uint64_t quotient = 0;
  uint32_t rest = 0;
  for (int shift = 48; shift >= 0; shift -= 16) {
    rest = rest << 16 | (static_cast<uint32_t>(*value >> shift) & 0xFFFF);
    quotient = quotient << 16 | rest / base;
    rest %= base;
  }
  *value = quotient;
  return rest;
}

// Writes backwards from `end`. @returns the number of digits.
int digits_of(uint64_t value, unsigned base, char letter_a, char* end) {
  int count = 0;
  do {
    const unsigned digit = divide(&value, base);
    *--end = static_cast<char>(digit < 10 ? '0' + digit : letter_a + digit - 10);
    ++count;
  } while (value != 0);
  return count;
}

struct Spec {
  bool left = false;
  bool zero = false;
  int width = 0;
  int precision = -1;
  int longs = 0;  // 0: int, 1: long, 2: 64 bits.
};

uint64_t unsigned_argument(const Spec& spec, va_list* args) {
  if (spec.longs == 2) {
    return va_arg(*args, unsigned long long);
  }
  return spec.longs == 1 ? va_arg(*args, unsigned long) : va_arg(*args, unsigned int);
}

int64_t signed_argument(const Spec& spec, va_list* args) {
  if (spec.longs == 2) {
    return va_arg(*args, long long);
  }
  return spec.longs == 1 ? va_arg(*args, long) : va_arg(*args, int);
}

int number(const char** format, va_list* args) {
  if (**format == '*') {
    ++*format;
    return va_arg(*args, int);
  }
  int value = 0;
  for (; **format >= '0' && **format <= '9'; ++*format) {
    value = value < 1000 ? value * 10 + (**format - '0') : value;
  }
  return value;
}

// Three decimals, cut off, whatever the conversion asks for. Works on the bits: neither a
// floating-point formatting library nor double arithmetic comes into the image.
void put_double(Message& message, double value, const Spec& spec) {
  char buffer[24];
  char* const end = buffer + sizeof(buffer);
  uint64_t bits;
  memcpy(&bits, &value, sizeof(bits));
  const bool negative = bits >> 63 != 0;
  const int exponent = static_cast<int>(bits >> 52 & 0x7FF);
  const uint64_t mantissa = (bits & 0xFFFFFFFFFFFFF) | 1ull << 52;
  const int shift = 1075 - exponent;  // |value| = mantissa / 2^shift
  if (shift < 0) {
    message.field(exponent == 0x7FF ? "inf or nan" : "2^53 or more", exponent == 0x7FF ? 10 : 12,
                  spec.width, spec.left, false, negative);
    return;
  }
  // 53 bits times 1000 < 2^63.
  uint64_t milli = shift < 64 ? mantissa * 1000 >> shift : 0;
  int length = 0;
  for (; length < 3; ++length) {
    end[-1 - length] = static_cast<char>('0' + divide(&milli, 10));
  }
  end[-4] = '.';
  length = 4 + digits_of(milli, 10, 'a', end - 4);
  message.field(end - length, length, spec.width, spec.left, spec.zero, negative);
}

// @returns the position behind the conversion.
const char* convert(Message& message, const char* format, va_list* args) {
  char buffer[24];  // 64 bits in octal: 22 digits.
  char* const end = buffer + sizeof(buffer);
  Spec spec;
  for (; *format == '0' || *format == '-' || *format == '+' || *format == ' ' || *format == '#';
       ++format) {
    spec.zero = spec.zero || *format == '0';
    spec.left = spec.left || *format == '-';
  }
  spec.width = number(&format, args);
  if (*format == '.') {
    ++format;
    spec.precision = number(&format, args);
  }
  for (;; ++format) {
    if (*format == 'l') {
      ++spec.longs;
    } else if (*format == 'z' || *format == 't') {
      spec.longs = sizeof(size_t) == sizeof(long) ? 1 : sizeof(size_t) == sizeof(int) ? 0 : 2;
    } else if (*format == 'j') {
      spec.longs = 2;
    } else if (*format != 'h') {
      break;
    }
  }
  unsigned base = 10;
  char letter_a = 'a';
  switch (*format) {
    case 'd':
    case 'i': {
      const int64_t value = signed_argument(spec, args);
      const bool negative = value < 0;
      const uint64_t magnitude =
          negative ? 0 - static_cast<uint64_t>(value) : static_cast<uint64_t>(value);
      const int length = digits_of(magnitude, 10, 'a', end);
      message.field(end - length, length, spec.width, spec.left, spec.zero, negative);
      return format + 1;
    }
    case 'p':
      message.put('0');
      message.put('x');
      spec.longs = sizeof(void*) == sizeof(long) ? 1 : 2;
      base = 16;
      break;
    case 'X':
      letter_a = 'A';
      base = 16;
      break;
    case 'x':
      base = 16;
      break;
    case 'o':
      base = 8;
      break;
    case 'u':
      break;
    case 'c':
      buffer[0] = static_cast<char>(va_arg(*args, int));
      message.field(buffer, 1, spec.width, spec.left, false, false);
      return format + 1;
    case 's': {
      const char* text = va_arg(*args, const char*);
      text = text == nullptr ? "(null)" : text;
      int length = 0;
      while ((spec.precision < 0 || length < spec.precision) &&
             length < static_cast<int>(kMaxMessage) && text[length] != '\0') {
        ++length;
      }
      message.field(text, length, spec.width, spec.left, false, false);
      return format + 1;
    }
    case 'f':
    case 'F':
    case 'e':
    case 'g':
      put_double(message, va_arg(*args, double), spec);
      return format + 1;
    case '\0':
      return format;
    default:  // "%%", and what is not understood: printed, takes no argument.
      message.put(*format);
      return format + 1;
  }
  const int length = digits_of(unsigned_argument(spec, args), base, letter_a, end);
  message.field(end - length, length, spec.width, spec.left, spec.zero, false);
  return format + 1;
}

}  // namespace

et_timestamp_t get_log_timestamp() { return pal_current_ticks(); }

void vlogf(LogLevel level, et_timestamp_t timestamp, const char* filename, const char* function,
           size_t line, const char* format, va_list args) {
  // A va_list passed on by pointer has to be a local one.
  va_list local;
  va_copy(local, args);
  Message message;
  while (*format != '\0') {
    if (*format != '%') {
      message.put(*format++);
    } else {
      format = convert(message, format + 1, &local);
    }
  }
  va_end(local);

  static constexpr char kLetters[] = {'D', 'I', 'E', 'F'};
  const size_t index = static_cast<size_t>(level);
  const et_pal_log_level_t letter =
      index < sizeof(kLetters) ? static_cast<et_pal_log_level_t>(kLetters[index]) : kUnknown;
  const char* text = message.finish();
  pal_emit_log_message(timestamp, letter, filename, function, line, text, message.length());
}

}  // namespace internal
}  // namespace executorch::runtime

namespace mcugen {

executorch::runtime::Error fail(executorch::runtime::Error error, const char* filename, size_t line,
                                const char* format, ...) {
  va_list args;
  va_start(args, format);
  executorch::runtime::internal::vlogf(executorch::runtime::LogLevel::Error,
                                       executorch::runtime::internal::get_log_timestamp(), filename,
                                       "", line, format, args);
  va_end(args);
  return error;
}

}  // namespace mcugen
