// SPDX-License-Identifier: BSD-3-Clause
#include <app/line_parser.h>

namespace mcugen {

LineParser::Event LineParser::feed(uint8_t byte) {
  if (byte == '\r' || byte == '\n') {
    return Event::kNone;
  }
  if (byte == '%') {
    const Event event =
        too_long_ ? Event::kTooLong : (bad_byte_ ? Event::kBadByte : Event::kCommand);
    command_[size_] = '\0';
    reset();
    return event;
  }
  if (byte < 0x20 || byte > 0x7E) {
    bad_byte_ = true;
  } else if (size_ == kMaxBytes) {
    too_long_ = true;
  } else {
    command_[size_++] = static_cast<char>(byte);
  }
  return Event::kNone;
}

void LineParser::reset() {
  size_ = 0;
  too_long_ = false;
  bad_byte_ = false;
}

size_t split_tokens(char* command, char** tokens, size_t max_tokens) {
  size_t count = 0;
  tokens[count++] = command;
  for (char* at = command; *at != '\0' && count < max_tokens; ++at) {
    if (*at == ' ') {
      *at = '\0';
      tokens[count++] = at + 1;
    }
  }
  return count;
}

bool parse_decimal(const char* token, int32_t* value) {
  const bool negative = *token == '-';
  if (negative) {
    ++token;
  }
  if (*token == '\0') {
    return false;
  }
  int32_t magnitude = 0;
  for (; *token != '\0'; ++token) {
    if (*token < '0' || *token > '9') {
      return false;
    }
    const int32_t digit = *token - '0';
    if (magnitude > (INT32_MAX - digit) / 10) {
      return false;
    }
    magnitude = magnitude * 10 + digit;
  }
  *value = negative ? -magnitude : magnitude;
  return true;
}

int hex_digit(char digit) {
  if (digit >= '0' && digit <= '9') {
    return digit - '0';
  }
  if (digit >= 'a' && digit <= 'f') {
    return digit - 'a' + 10;
  }
  if (digit >= 'A' && digit <= 'F') {
    return digit - 'A' + 10;
  }
  return -1;
}

}  // namespace mcugen
