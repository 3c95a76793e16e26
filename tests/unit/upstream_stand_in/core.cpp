// SPDX-License-Identifier: BSD-3-Clause
#include <stand_in/traits.h>

#include <cstdio>
#include <cstring>

// Not constant, and visible to others: its address is read from the global offset table.
const char* stand_in_format = "%d kernels of %s";

bool stand_in::text_is_made() {
  char text[32];
  std::snprintf(text, sizeof(text), stand_in_format, 47, "cortex_m");
  return std::strcmp(text, "47 kernels of cortex_m") == 0;
}
