// SPDX-License-Identifier: BSD-3-Clause
#include <executorch/runtime/core/tag.h>

#include <cstring>

namespace executorch::runtime {

size_t tag_to_string(Tag tag, char* buffer, size_t buffer_size) {
#if ET_ENABLE_ENUM_STRINGS
  const char* text = tag_to_string(tag);
#else
  // Tags are few: two digits.
  const unsigned value = static_cast<unsigned>(tag) % 100;
  char digits[3] = {static_cast<char>('0' + value % 10), '\0', '\0'};
  if (value >= 10) {
    digits[1] = digits[0];
    digits[0] = static_cast<char>('0' + value / 10);
  }
  const char* text = digits;
#endif
  const size_t length = strlen(text);
  if (buffer_size != 0) {
    const size_t copied = length < buffer_size ? length : buffer_size - 1;
    memcpy(buffer, text, copied);
    buffer[copied] = '\0';
  }
  return length;
}

}  // namespace executorch::runtime
