// SPDX-License-Identifier: BSD-3-Clause
#include <app/crc32.h>

namespace mcugen {
namespace {

struct NibbleTable {
  uint32_t entry[16];
};

constexpr NibbleTable make_table() {
  NibbleTable table{};
  for (uint32_t i = 0; i < 16; ++i) {
    uint32_t crc = i;
    for (int bit = 0; bit < 4; ++bit) {
      crc = (crc >> 1) ^ ((crc & 1) != 0 ? 0xEDB88320u : 0);
    }
    table.entry[i] = crc;
  }
  return table;
}

constexpr NibbleTable kTable = make_table();

}  // namespace

uint32_t crc32(const uint8_t* data, size_t bytes, uint32_t crc) {
  crc = ~crc;
  for (size_t i = 0; i < bytes; ++i) {
    crc ^= data[i];
    crc = (crc >> 4) ^ kTable.entry[crc & 0xF];
    crc = (crc >> 4) ^ kTable.entry[crc & 0xF];
  }
  return ~crc;
}

}  // namespace mcugen
