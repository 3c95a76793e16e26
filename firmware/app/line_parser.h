// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <cstdint>

namespace mcugen {

/// Collects the bytes of a text command up to its `%` (docs/protocol.md, "Text commands").
class LineParser {
 public:
  /// The longest command, its `%` not counted.
  static constexpr size_t kMaxBytes = 80;

  enum class Event : uint8_t {
    kNone,     ///< Nothing complete yet.
    kCommand,  ///< `command()` holds a command; it may be empty.
    kTooLong,  ///< A command ended that had more than kMaxBytes bytes; it is dropped.
    kBadByte,  ///< A command ended that held a byte outside 0x20 to 0x7E; it is dropped.
  };

  /// Take one byte. CR and LF are ignored wherever they are.
  Event feed(uint8_t byte);

  /// @returns the command, NUL-terminated, after kCommand and until the next `feed()`. May be
  ///     written to.
  char* command() { return command_; }

  /// Drop what has come so far.
  void reset();

 private:
  char command_[kMaxBytes + 1] = {};
  uint8_t size_ = 0;
  bool too_long_ = false;
  bool bad_byte_ = false;
};

/// Split a command at single spaces, in place. Two spaces in a row give an empty token.
/// @param[in,out] command NUL-terminated; spaces become NULs.
/// @param[out] tokens At most `max_tokens`.
/// @returns how many tokens there are; if more than `max_tokens`, the last holds the rest.
size_t split_tokens(char* command, char** tokens, size_t max_tokens);

/// Read a decimal number that takes up the whole token.
/// @param[in] token Digits, optionally after a `-`.
/// @param[out] value Set only on success.
/// @returns false when empty, not a number, or its magnitude is above 2^31 - 1.
bool parse_decimal(const char* token, int32_t* value);

/// @returns the value of a hexadecimal digit, or -1.
int hex_digit(char digit);

}  // namespace mcugen
