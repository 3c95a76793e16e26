// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>

/// STM32G0 registers and fields, named as in RM0444. What L4 and G4 have at the same place:
/// bsp/stm32lg/registers.h.

namespace mcugen::stm32g0 {

// Flash interface, RM0444 3.7.1
constexpr uintptr_t kFlashAcr = 0x40022000;
constexpr uint32_t kFlashAcrLatencyMask = 7;

// Reset and clock control, RM0444 5.4
constexpr uintptr_t kRccCfgr = 0x40021008;
constexpr uint32_t kRccCfgrSwHsiSys = 0;
constexpr uint32_t kRccCfgrSwHse = 1;
constexpr uint32_t kRccCfgrSwPll = 2;
constexpr uint32_t kRccCfgrSwsPos = 3;
constexpr uint32_t kRccCfgrHprePos = 8;
constexpr uint32_t kRccCfgrPprePos = 12;
constexpr uintptr_t kRccPllCfgr = 0x4002100C;
constexpr uint32_t kRccPllCfgrPllREn = 1u << 28;
constexpr uint32_t kRccPllCfgrPllRPos = 29;  // value: R - 1
constexpr uintptr_t kRccIopEnr = 0x40021034;
constexpr uint32_t kRccIopEnrGpioAPos = 0;  // GPIOAEN
constexpr uintptr_t kRccApbEnr1 = 0x4002103C;
constexpr uint32_t kRccApbEnr1Usart2 = 1u << 17;
constexpr uint32_t kRccApbEnr1Lpuart1 = 1u << 20;
constexpr uint32_t kRccApbEnr1Pwr = 1u << 28;
constexpr uintptr_t kRccApbEnr2 = 0x40021040;
constexpr uint32_t kRccApbEnr2Usart1 = 1u << 14;
constexpr uintptr_t kRccCsr = 0x40021060;
constexpr uint32_t kRccCsrRmvf = 1u << 23;
constexpr uint32_t kRccCsrPinRst = 1u << 26;
constexpr uint32_t kRccCsrPwrRst = 1u << 27;  // on power-on as well as on brown-out
constexpr uint32_t kRccCsrSftRst = 1u << 28;
constexpr uint32_t kRccCsrIwdgRst = 1u << 29;
constexpr uint32_t kRccCsrWwdgRst = 1u << 30;
constexpr uint32_t kRccCsrLpwrRst = 1u << 31;

// Pins and console, RM0444 2.2.2
constexpr uintptr_t kGpioA = 0x50000000;
constexpr uintptr_t kUsart1 = 0x40013800;
constexpr uintptr_t kUsart2 = 0x40004400;
constexpr uintptr_t kLpuart1 = 0x40008000;

}  // namespace mcugen::stm32g0
