// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>

/// The second stage of the RP2040's boot (RP2040 datasheet 2.8.1.3): the first 256 bytes of flash.
/// README.md beside this says what it does and how these words come from boot2.s. Included by
/// clock.cpp, once: nothing refers to it, so a source of its own would not be linked.

namespace mcugen {
namespace {

constexpr uint32_t kNumWords = 63;
constexpr uint32_t kCode[kNumWords] = {
    0x21214832, 0x48326041, 0x60812102, 0x610160C1, 0x4B306141, 0x26012700, 0x2102609F, 0x22F06159,
    0x492D509E, 0x609E6019, 0xF83AF000, 0x2502D11C, 0x20064305, 0xF841F000, 0x66182031, 0xF0000028,
    0x6E18F83C, 0x20054D25, 0xF831F000, 0x42082101, 0x3D01D001, 0xF000D1F7, 0xD105F823, 0x609F2104,
    0x481F6159, 0xE00C491F, 0x481F609F, 0xF000491F, 0x21EBF811, 0x20A06619, 0xF81FF000, 0x481A609F,
    0xF000491B, 0x481BF807, 0x6008491B, 0xF381C806, 0x47108808, 0x605F6018, 0x509922F4, 0x4770609E,
    0x203546F0, 0xF803F000, 0x42082102, 0x46F14740, 0xF0006618, 0x6E18F802, 0x66184748, 0x6A992205,
    0x29044011, 0x6E18D1FB, 0x00004770, 0x40020000, 0x40023000, 0x18000000, 0x00070000, 0x00008000,
    0x001F0300, 0x03000218, 0x005F0300, 0x00002221, 0xA0002022, 0x10000100, 0xE000ED08,
};

// 2.8.1.3.1: polynomial 0x04C11DB7, most significant bit first, begun with ones and not inverted.
constexpr uint32_t crc32() {
  uint32_t crc = 0xFFFFFFFF;
  for (uint32_t word : kCode) {
    for (uint32_t byte = 0; byte < 4; ++byte) {
      crc ^= (word >> (8 * byte) & 0xFF) << 24;
      for (uint32_t bit = 0; bit < 8; ++bit) {
        crc = crc << 1 ^ (crc >> 31 != 0 ? 0x04C11DB7 : 0);
      }
    }
  }
  return crc;
}

struct Stage {
  uint32_t words[kNumWords + 1];
};

constexpr Stage with_crc() {
  Stage stage = {};
  for (uint32_t i = 0; i < kNumWords; ++i) {
    stage.words[i] = kCode[i];
  }
  stage.words[kNumWords] = crc32();
  return stage;
}

[[gnu::section(".boot_stage"), gnu::used]] constexpr Stage kBootStage = with_crc();
static_assert(sizeof(kBootStage) == 256, "what the boot ROM copies");

}  // namespace
}  // namespace mcugen
