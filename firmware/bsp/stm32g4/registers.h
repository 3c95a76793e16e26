// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>

/// STM32G4 registers and fields, named as in RM0440. What L4 and G0 have at the same place:
/// bsp/stm32lg/registers.h.

namespace mcugen::stm32g4 {

// Flash interface, RM0440 3.7.1
constexpr uintptr_t kFlashAcr = 0x40022000;
constexpr uint32_t kFlashAcrLatencyMask = 0xF;

// Reset and clock control, RM0440 7.4
constexpr uintptr_t kRccCfgr = 0x40021008;
constexpr uint32_t kRccCfgrSwHsi = 1;
constexpr uint32_t kRccCfgrSwHse = 2;
constexpr uint32_t kRccCfgrSwPll = 3;
constexpr uint32_t kRccCfgrSwsPos = 2;
constexpr uint32_t kRccCfgrHprePos = 4;
constexpr uint32_t kRccCfgrPpre1Pos = 8;
constexpr uint32_t kRccCfgrPpre2Pos = 11;
constexpr uintptr_t kRccPllCfgr = 0x4002100C;
constexpr uint32_t kRccPllCfgrPllREn = 1u << 24;
constexpr uint32_t kRccPllCfgrPllRPos = 25;  // value: R / 2 - 1
constexpr uintptr_t kRccAhb2Enr = 0x4002104C;
constexpr uint32_t kRccAhb2EnrGpioAPos = 0;  // GPIOAEN
constexpr uintptr_t kRccApb1Enr1 = 0x40021058;
constexpr uint32_t kRccApb1Enr1Usart2 = 1u << 17;
constexpr uint32_t kRccApb1Enr1Usart3 = 1u << 18;
constexpr uint32_t kRccApb1Enr1Pwr = 1u << 28;
constexpr uintptr_t kRccApb1Enr2 = 0x4002105C;
constexpr uint32_t kRccApb1Enr2Lpuart1 = 1u << 0;
constexpr uintptr_t kRccApb2Enr = 0x40021060;
constexpr uint32_t kRccApb2EnrUsart1 = 1u << 14;
constexpr uintptr_t kRccCsr = 0x40021094;
constexpr uint32_t kRccCsrRmvf = 1u << 23;
constexpr uint32_t kRccCsrPinRst = 1u << 26;
constexpr uint32_t kRccCsrBorRst = 1u << 27;  // on power-on as well as on brown-out
constexpr uint32_t kRccCsrSftRst = 1u << 28;
constexpr uint32_t kRccCsrIwdgRst = 1u << 29;
constexpr uint32_t kRccCsrWwdgRst = 1u << 30;
constexpr uint32_t kRccCsrLpwrRst = 1u << 31;

// Pins and console, RM0440 2.2.2
constexpr uintptr_t kGpioA = 0x48000000;
constexpr uintptr_t kUsart1 = 0x40013800;
constexpr uintptr_t kUsart2 = 0x40004400;
constexpr uintptr_t kUsart3 = 0x40004800;
constexpr uintptr_t kLpuart1 = 0x40008000;

}  // namespace mcugen::stm32g4
