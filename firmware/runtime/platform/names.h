// SPDX-License-Identifier: BSD-3-Clause
#pragma once

namespace mcugen {

/// strcmp() == 0, without newlib's 700 bytes of it.
inline bool names_equal(const char* a, const char* b) {
  for (; *a == *b; ++a, ++b) {
    if (*a == '\0') {
      return true;
    }
  }
  return false;
}

}  // namespace mcugen
