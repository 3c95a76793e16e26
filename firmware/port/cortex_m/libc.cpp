// SPDX-License-Identifier: BSD-3-Clause
//
// String and memory functions in a few bytes each, in place of newlib's, which are unrolled for
// speed (strcmp alone takes 732 bytes of flash). The firmware compares names when it loads a model
// and measures strings when it prints them; tensors are copied word by word where they are aligned.
#include <cstddef>
#include <cstdint>

// A loop that is a string function must not be compiled into a call of that function.
#pragma GCC optimize("no-tree-loop-distribute-patterns")

namespace {
// May alias anything, as the bytes it stands for do.
#if defined(__ARM_FEATURE_UNALIGNED)
using Word = uint32_t __attribute__((may_alias, aligned(1)));
#else
using Word = uint32_t __attribute__((may_alias));
#endif

/// @returns whether words can be at both addresses.
bool is_word(const void* a, const void* b) {
  const uintptr_t both = reinterpret_cast<uintptr_t>(a) | reinterpret_cast<uintptr_t>(b);
  return both % alignof(Word) == 0;
}

/// Copies forwards: the target may begin before the source, and reach into it.
__attribute__((always_inline)) inline void copy(uint8_t* target, const uint8_t* source,
                                                size_t size) {
  if (is_word(target, source)) {
    for (; size >= 4 * sizeof(Word); size -= 4 * sizeof(Word)) {
      const Word* const from = reinterpret_cast<const Word*>(source);
      Word* const to = reinterpret_cast<Word*>(target);
      const uint32_t words[] = {from[0], from[1], from[2], from[3]};
      to[0] = words[0];
      to[1] = words[1];
      to[2] = words[2];
      to[3] = words[3];
      source += 4 * sizeof(Word);
      target += 4 * sizeof(Word);
    }
    for (; size >= sizeof(Word); size -= sizeof(Word)) {
      *reinterpret_cast<Word*>(target) = *reinterpret_cast<const Word*>(source);
      target += sizeof(Word);
      source += sizeof(Word);
    }
  }
  for (; size > 0; --size) {
    *target++ = *source++;
  }
}
}  // namespace

extern "C" {

__attribute__((used)) int strcmp(const char* a, const char* b) {
  while (*a != '\0' && *a == *b) {
    ++a;
    ++b;
  }
  return static_cast<uint8_t>(*a) - static_cast<uint8_t>(*b);
}

__attribute__((used)) size_t strlen(const char* text) {
  const char* end = text;
  while (*end != '\0') {
    ++end;
  }
  return static_cast<size_t>(end - text);
}

__attribute__((used)) int memcmp(const void* a, const void* b, size_t size) {
  const uint8_t* left = static_cast<const uint8_t*>(a);
  const uint8_t* right = static_cast<const uint8_t*>(b);
  for (size_t i = 0; i < size; ++i) {
    if (left[i] != right[i]) {
      return left[i] - right[i];
    }
  }
  return 0;
}

__attribute__((used)) void* memcpy(void* to, const void* from, size_t size) {
  copy(static_cast<uint8_t*>(to), static_cast<const uint8_t*>(from), size);
  return to;
}

__attribute__((used)) void* memset(void* to, int value, size_t size) {
  uint8_t* target = static_cast<uint8_t*>(to);
  const uint8_t byte = static_cast<uint8_t>(value);
  if (is_word(target, target)) {
    for (; size >= sizeof(Word); size -= sizeof(Word)) {
      *reinterpret_cast<Word*>(target) = byte * 0x01010101u;
      target += sizeof(Word);
    }
  }
  for (; size > 0; --size) {
    *target++ = byte;
  }
  return to;
}

__attribute__((used)) void* memmove(void* to, const void* from, size_t size) {
  uint8_t* target = static_cast<uint8_t*>(to);
  const uint8_t* source = static_cast<const uint8_t*>(from);
  // Forwards unless the target begins inside the source.
  if (reinterpret_cast<uintptr_t>(target) - reinterpret_cast<uintptr_t>(source) >= size) {
    return memcpy(to, from, size);
  }
  while (size-- > 0) {
    target[size] = source[size];
  }
  return to;
}

}  // extern "C"
