// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>

/// What the RP2350's boot ROM looks for in the first 4 KiB of flash: a block that says what the
/// image is (RP2350 datasheet 5.9.5.1, the least that one for Arm needs). Without an entry point in
/// it, the ROM starts the image by the vector table that flash begins with. Included by clock.cpp,
/// once: nothing refers to it, so a source of its own would not be linked.

namespace mcugen {
namespace {

constexpr uint32_t kBlockStart = 0xFFFFDED3;  // 5.1.5.1
constexpr uint32_t kBlockEnd = 0xAB123579;

// Item IMAGE_TYPE, one word long (5.9.3.1): an executable, secure, Arm, RP2350.
constexpr uint32_t kTypeItem = 0x42 | 1u << 8;
constexpr uint32_t kTypeExecutable = 1u << 0;
constexpr uint32_t kTypeSecure = 2u << 4;
constexpr uint32_t kTypeRp2350 = 1u << 12;  // bits 10:8, the CPU: 0 for Arm
constexpr uint32_t kImageType = kTypeItem | (kTypeExecutable | kTypeSecure | kTypeRp2350) << 16;

constexpr uint32_t kLastItem = 0xFF | 1u << 8;  // of one word before it
constexpr uint32_t kNextBlock = 0;              // a loop of this block alone

[[gnu::section(".boot_block"), gnu::used]] constexpr uint32_t kImageDef[] = {
    kBlockStart, kImageType, kLastItem, kNextBlock, kBlockEnd,
};

}  // namespace
}  // namespace mcugen
