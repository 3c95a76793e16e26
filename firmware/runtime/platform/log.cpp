// SPDX-License-Identifier: BSD-3-Clause
#include <executorch/runtime/platform/log.h>
#include <executorch/runtime/platform/platform.h>
#include <runtime/platform/fail.h>

#include <cstdarg>
#include <cstring>

// No newlib printf: its integer-only variant prints `%zu` as "zu" and then reads the wrong
// argument, and costs more flash than this file. What is understood: flags `0` and `-`, width and
// precision (both may be `*`; precision is for strings), lengths hh h l ll z t j, conversions
// d i u x X c s p f F e g and %.

namespace executorch::runtime {
namespace internal {
namespace {

constexpr size_t kMaxMessage = 160;

/// Formats into a buffer; what does not fit is dropped.
class Formatter {
 public:
  explicit Formatter(va_list args) { va_copy(args_, args); }
  ~Formatter() { va_end(args_); }

  void run(const char* format) {
    while (*format != '\0') {
      if (*format != '%') {
        put(*format++);
      } else {
        format = convert(format + 1);
      }
    }
    text_[length_] = '\0';
  }

  const char* text() const { return text_; }
  size_t length() const { return length_; }

 private:
  ET_NOINLINE void put(char c) {
    if (length_ < kMaxMessage) {
      text_[length_++] = c;
    }
  }

  ET_NOINLINE void pad(char c, int count) {
    for (; count > 0; --count) {
      put(c);
    }
  }

  // Prints `length` characters in the field that the conversion asks for.
  void field(const char* characters, int length, char sign) {
    const int padding = width_ - length - (sign != 0 ? 1 : 0);
    if (!left_ && !zero_) {
      pad(' ', padding);
    }
    if (sign != 0) {
      put(sign);
    }
    if (!left_ && zero_) {
      pad('0', padding);
    }
    for (int i = 0; i < length; ++i) {
      put(characters[i]);
    }
    if (left_) {
      pad(' ', padding);
    }
  }

  // Divides in place by a base of at most 16, 16 bits at a time: no 64-bit division routine.
  // @returns the remainder.
  static ET_NOINLINE unsigned divide(uint64_t* value, unsigned base) {
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

  // Prints at least `digits` digits, with a point in front of the last `decimals` of them.
  void number(uint64_t value, unsigned base, char letter_a, char sign, int decimals = 0) {
    char buffer[24];  // 20 digits in base 10, and the point.
    char* const end = buffer + sizeof(buffer);
    char* at = end;
    do {
      if (decimals != 0 && end - at == decimals) {
        *--at = '.';
      }
      const unsigned digit = divide(&value, base);
      *--at = static_cast<char>(digit < 10 ? '0' + digit : letter_a + digit - 10);
    } while (value != 0 || (decimals != 0 && end - at < decimals + 2));
    field(at, static_cast<int>(end - at), sign);
  }

  // Three decimals, cut off, whatever the conversion asks for. Works on the bits: neither a
  // floating-point formatting library nor double arithmetic comes into the image.
  void floating(uint64_t bits) {
    const uint64_t mantissa = (bits & 0xFFFFFFFFFFFFF) | 1ull << 52;
    const int shift = 1075 - static_cast<int>(bits >> 52 & 0x7FF);  // |value| = mantissa / 2^shift
    const char sign = bits >> 63 != 0 ? '-' : '\0';
    if (shift < 0) {
      field("big", 3, sign);  // 2^53 or more, infinite, or no number.
    } else {
      // 53 bits times 1000 < 2^63. What is so small that its exponent is zero is zero here.
      number(shift < 64 ? mantissa * 1000 >> shift : 0, 10, 'a', sign, 3);
    }
  }

  int count(const char** format) {
    int value = 0;
    if (**format == '*') {
      ++*format;
      return va_arg(args_, int);
    }
    for (; **format >= '0' && **format <= '9'; ++*format) {
      value = value < 1000 ? value * 10 + (**format - '0') : value;
    }
    return value;
  }

  // @param[in] format Behind the percent sign. @returns the position behind the conversion.
  const char* convert(const char* format) {
    left_ = zero_ = false;
    for (;; ++format) {
      if (*format == '0') {
        zero_ = true;
      } else if (*format == '-') {
        left_ = true;
      } else {
        break;
      }
    }
    width_ = count(&format);
    int precision = static_cast<int>(kMaxMessage);
    if (*format == '.') {
      ++format;
      precision = count(&format);
    }
    size_t bytes = sizeof(int);
    for (;; ++format) {
      if (*format == 'l') {
        bytes = bytes == sizeof(int) && sizeof(long) != sizeof(int) ? sizeof(long)
                : format[1] == 'l'                                  ? sizeof(long long)
                                                                    : bytes;
      } else if (*format == 'z' || *format == 't') {
        bytes = sizeof(size_t);
      } else if (*format == 'j') {
        bytes = sizeof(intmax_t);
      } else if (*format != 'h') {
        break;
      }
    }
    const char conversion = *format;
    switch (conversion) {
      case 'd':
      case 'i': {
        const int64_t value = bytes == 8 ? va_arg(args_, int64_t) : va_arg(args_, int32_t);
        number(value < 0 ? 0 - static_cast<uint64_t>(value) : static_cast<uint64_t>(value), 10, 'a',
               value < 0 ? '-' : '\0');
        break;
      }
      case 'p':
        put('0');
        put('x');
        bytes = sizeof(void*);
        ET_FALLTHROUGH;
      case 'u':
      case 'x':
      case 'X':
        number(bytes == 8 ? va_arg(args_, uint64_t) : va_arg(args_, uint32_t),
               conversion == 'u' ? 10 : 16, conversion == 'X' ? 'A' : 'a', '\0');
        break;
      case 'c': {
        const char character = static_cast<char>(va_arg(args_, int));
        field(&character, 1, '\0');
        break;
      }
      case 's': {
        const char* text = va_arg(args_, const char*);
        text = text == nullptr ? "(null)" : text;
        int length = 0;
        while (length < precision && text[length] != '\0') {
          ++length;
        }
        field(text, length, '\0');
        break;
      }
      case 'f':
      case 'F':
      case 'e':
      case 'g': {
        const double value = va_arg(args_, double);
        uint64_t bits;
        memcpy(&bits, &value, sizeof(bits));
        floating(bits);
        break;
      }
      case '\0':
        return format;
      default:  // "%%", and what is not understood: printed, takes no argument.
        put(conversion);
    }
    return format + 1;
  }

  va_list args_;
  size_t length_ = 0;
  // Of the conversion at hand.
  int width_ = 0;
  bool left_ = false;
  bool zero_ = false;
  char text_[kMaxMessage + 1];
};

}  // namespace

et_timestamp_t get_log_timestamp() { return pal_current_ticks(); }

void vlogf(LogLevel level, et_timestamp_t timestamp, const char* filename, const char* function,
           size_t line, const char* format, va_list args) {
  Formatter message(args);
  message.run(format);

  static constexpr char kLetters[] = {'D', 'I', 'E', 'F'};
  const size_t index = static_cast<size_t>(level);
  const et_pal_log_level_t letter =
      index < sizeof(kLetters) ? static_cast<et_pal_log_level_t>(kLetters[index]) : kUnknown;
  pal_emit_log_message(timestamp, letter, filename, function, line, message.text(),
                       message.length());
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
