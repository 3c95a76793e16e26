// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <cstdint>

namespace mcugen {

/// Writes text and numbers to a sink, byte by byte: what the firmware has in place of printf.
class TextWriter {
 public:
  /// Takes one character. `context` is what the writer was made with.
  using Sink = void (*)(void* context, char character);

  constexpr TextWriter(Sink sink, void* context) : sink_(sink), context_(context) {}

  void character(char value) { sink_(context_, value); }
  /// @param[in] value NUL-terminated.
  void text(const char* value);
  /// As `text()`, with what JSON does not allow inside quotes escaped or replaced by '?', and
  /// quotes around it.
  void json_string(const char* value);
  void decimal(uint64_t value);
  /// `0x` and `digits` lower-case hexadecimal digits.
  void hex(uint32_t value, int digits);
  /// Two lower-case hexadecimal digits.
  void hex_byte(uint8_t value);
  /// As printf's "%0.3f", correctly rounded, ties to even; "nan", "inf" and "-inf" where the value
  /// is not finite. Magnitudes of 2^53 and above are also written as infinite.
  void fixed3(float value);

 private:
  Sink sink_;
  void* context_;
};

/// A TextWriter into a caller's buffer. What does not fit is dropped.
class TextBuffer {
 public:
  /// @param[in] data Room for `capacity` characters. No NUL is written.
  TextBuffer(char* data, size_t capacity)
      : data_(data), capacity_(capacity), writer_(&TextBuffer::put, this) {}
  TextBuffer(const TextBuffer&) = delete;
  TextBuffer& operator=(const TextBuffer&) = delete;

  TextWriter& writer() { return writer_; }
  size_t size() const { return size_; }

 private:
  static void put(void* self, char value);

  char* data_;
  size_t capacity_;
  size_t size_ = 0;
  TextWriter writer_;
};

}  // namespace mcugen
