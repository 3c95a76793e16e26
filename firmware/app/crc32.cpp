// SPDX-License-Identifier: BSD-3-Clause

// The most of the time from reset to the first command: the rest of app/ is built for size.
#pragma GCC optimize("O2")

#include <app/crc32.h>

#include <cstring>

namespace mcugen {
namespace {

// Bits that are looked up at a time: 1 KB of table, or 64 bytes and half as fast.
#ifndef MCUGEN_CRC_TABLE_BITS
#define MCUGEN_CRC_TABLE_BITS 8
#endif
constexpr int kBits = MCUGEN_CRC_TABLE_BITS;
static_assert(kBits == 4 || kBits == 8, "a byte is looked up at once or in halves");

struct Table {
  uint32_t entry[1u << kBits];
};

constexpr Table make_table() {
  Table table{};
  for (uint32_t i = 0; i < 1u << kBits; ++i) {
    uint32_t crc = i;
    for (int bit = 0; bit < kBits; ++bit) {
      crc = (crc >> 1) ^ ((crc & 1) != 0 ? 0xEDB88320u : 0);
    }
    table.entry[i] = crc;
  }
  return table;
}

constexpr Table kTable = make_table();

inline uint32_t shift_byte(const uint32_t* table, uint32_t crc) {
  for (int bit = 0; bit < 8; bit += kBits) {
    crc = (crc >> kBits) ^ table[crc & ((1u << kBits) - 1)];
  }
  return crc;
}

}  // namespace

uint32_t crc32(const uint8_t* data, size_t bytes, uint32_t crc) {
  constexpr size_t kWord = sizeof(uint32_t);
  crc = ~crc;
  // Else GCC counts from the start of its section, with an addition more at each look-up.
  const uint32_t* table = kTable.entry;
  __asm__("" : "+r"(table));
  const uint8_t* const end = data + bytes;
  for (; data != end && reinterpret_cast<uintptr_t>(data) % kWord != 0; ++data) {
    crc = shift_byte(table, crc ^ *data);
  }
  const uint8_t* const words_end = data + (end - data) / kWord * kWord;
  for (; data != words_end; data += kWord) {
    uint32_t word;  // Little-endian: its first byte leaves first.
    std::memcpy(&word, __builtin_assume_aligned(data, kWord), kWord);
    crc = shift_byte(table, shift_byte(table, crc ^ word));
    crc = shift_byte(table, shift_byte(table, crc));
  }
  for (; data != end; ++data) {
    crc = shift_byte(table, crc ^ *data);
  }
  return ~crc;
}

}  // namespace mcugen
