// SPDX-License-Identifier: BSD-3-Clause
//
// newlib's strcmp and strlen for Cortex-M are unrolled for speed and take 1,000 bytes. Here they
// see short names, at boot and when a command comes: these two take their place at link time.
#include <cstddef>

extern "C" {

int strcmp(const char* left, const char* right) {
  while (*left != '\0' && *left == *right) {
    ++left;
    ++right;
  }
  return static_cast<unsigned char>(*left) - static_cast<unsigned char>(*right);
}

size_t strlen(const char* text) {
  const char* end = text;
  while (*end != '\0') {
    ++end;
    __asm volatile("" : "+r"(end));  // or the compiler would see a strlen here, and call it
  }
  return static_cast<size_t>(end - text);
}

}  // extern "C"
