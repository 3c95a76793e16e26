// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>

/// Registers and fields that L4, G0 and G4 have at the same place, named as in RM0351 (L4), RM0432
/// (L4+), RM0444 (G0) and RM0440 (G4), chapters FLASH, PWR and RCC.

namespace mcugen::stm32 {

// Flash interface: RM0351 3.7.1, RM0444 3.7.1, RM0440 3.7.1
constexpr uintptr_t kFlashAcr = 0x40022000;
constexpr uint32_t kFlashAcrPrftEn = 1u << 8;
constexpr uint32_t kFlashAcrIcEn = 1u << 9;
constexpr uint32_t kFlashAcrDcEn = 1u << 10;  // not in G0

// Power controller: RM0351 5.4, RM0432 5.4, RM0444 4.4, RM0440 6.4
constexpr uintptr_t kPwrCr1 = 0x40007000;
constexpr uint32_t kPwrCr1Dbp = 1u << 8;
constexpr uint32_t kPwrCr1VosMask = 3u << 9;
constexpr uint32_t kPwrCr1VosRange1 = 1u << 9;
constexpr uintptr_t kPwrCr2 = 0x40007004;
constexpr uint32_t kPwrCr2Iosv = 1u << 9;  // L4: a port has a supply of its own
constexpr uintptr_t kPwrSr2 = 0x40007014;
constexpr uint32_t kPwrSr2Vosf = 1u << 10;   // the voltage is still changing
constexpr uintptr_t kPwrCr5 = 0x40007080;    // L4+ and G4
constexpr uint32_t kPwrCr5R1Mode = 1u << 8;  // 0: boost

// Reset and clock control: RM0351 6.4, RM0432 6.4, RM0444 5.4, RM0440 7.4
constexpr uintptr_t kRccCr = 0x40021000;
constexpr uint32_t kRccCrHsiOn = 1u << 8;
constexpr uint32_t kRccCrHsiRdy = 1u << 10;
constexpr uint32_t kRccCrHseOn = 1u << 16;
constexpr uint32_t kRccCrHseRdy = 1u << 17;
constexpr uint32_t kRccCrHseByp = 1u << 18;
constexpr uint32_t kRccCrPllOn = 1u << 24;
constexpr uint32_t kRccCrPllRdy = 1u << 25;
constexpr uintptr_t kRccPllCfgr = 0x4002100C;
constexpr uint32_t kRccPllCfgrSrcHsi = 2;   // PLLSRC
constexpr uint32_t kRccPllCfgrSrcHse = 3;   // PLLSRC
constexpr uint32_t kRccPllCfgrPllMPos = 4;  // value: M - 1
constexpr uint32_t kRccPllCfgrPllNPos = 8;

}  // namespace mcugen::stm32
