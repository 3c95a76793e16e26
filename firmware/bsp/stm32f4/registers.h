// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>

/// STM32F4 registers and fields, named as in RM0390 (STM32F446). Base addresses: RM0390 2.2.2.

namespace mcugen::stm32f4 {

// Flash interface, RM0390 3.8.1
constexpr uintptr_t kFlashAcr = 0x40023C00;
constexpr uint32_t kFlashAcrLatencyMask = 0xF;
constexpr uint32_t kFlashAcrPrftEn = 1u << 8;
constexpr uint32_t kFlashAcrIcEn = 1u << 9;
constexpr uint32_t kFlashAcrDcEn = 1u << 10;

// Power controller, RM0390 5.4
constexpr uintptr_t kPwrCr = 0x40007000;
constexpr uint32_t kPwrCrVosScale1 = 3u << 14;
constexpr uint32_t kPwrCrOdEn = 1u << 16;
constexpr uint32_t kPwrCrOdSwEn = 1u << 17;
constexpr uintptr_t kPwrCsr = 0x40007004;
constexpr uint32_t kPwrCsrVosRdy = 1u << 14;
constexpr uint32_t kPwrCsrOdRdy = 1u << 16;
constexpr uint32_t kPwrCsrOdSwRdy = 1u << 17;

// Reset and clock control, RM0390 6.3
constexpr uintptr_t kRccCr = 0x40023800;
constexpr uint32_t kRccCrHsiOn = 1u << 0;
constexpr uint32_t kRccCrHsiRdy = 1u << 1;
constexpr uint32_t kRccCrHseOn = 1u << 16;
constexpr uint32_t kRccCrHseRdy = 1u << 17;
constexpr uint32_t kRccCrHseByp = 1u << 18;
constexpr uint32_t kRccCrPllOn = 1u << 24;
constexpr uint32_t kRccCrPllRdy = 1u << 25;
constexpr uintptr_t kRccPllCfgr = 0x40023804;
constexpr uint32_t kRccPllCfgrPllMPos = 0;
constexpr uint32_t kRccPllCfgrPllNPos = 6;
constexpr uint32_t kRccPllCfgrPllPPos = 16;       // value: P / 2 - 1
constexpr uint32_t kRccPllCfgrSrcHse = 1u << 22;  // PLLSRC
constexpr uint32_t kRccPllCfgrPllQPos = 24;
constexpr uint32_t kRccPllCfgrPllRPos = 28;
constexpr uintptr_t kRccCfgr = 0x40023808;
constexpr uint32_t kRccCfgrSwHsi = 0;
constexpr uint32_t kRccCfgrSwHse = 1;
constexpr uint32_t kRccCfgrSwPll = 2;
constexpr uint32_t kRccCfgrSwsPos = 2;
constexpr uint32_t kRccCfgrHprePos = 4;
constexpr uint32_t kRccCfgrPpre1Pos = 10;
constexpr uint32_t kRccCfgrPpre2Pos = 13;
constexpr uintptr_t kRccAhb1Enr = 0x40023830;  // bit n: port n
constexpr uintptr_t kRccApb1Enr = 0x40023840;
constexpr uint32_t kRccApb1EnrUsart2 = 1u << 17;
constexpr uint32_t kRccApb1EnrPwr = 1u << 28;
constexpr uintptr_t kRccApb2Enr = 0x40023844;
constexpr uint32_t kRccApb2EnrUsart1 = 1u << 4;
constexpr uint32_t kRccApb2EnrUsart6 = 1u << 5;
constexpr uintptr_t kRccCsr = 0x40023874;
constexpr uint32_t kRccCsrRmvf = 1u << 24;
constexpr uint32_t kRccCsrBorRst = 1u << 25;
constexpr uint32_t kRccCsrPinRst = 1u << 26;
constexpr uint32_t kRccCsrPorRst = 1u << 27;
constexpr uint32_t kRccCsrSftRst = 1u << 28;
constexpr uint32_t kRccCsrIwdgRst = 1u << 29;
constexpr uint32_t kRccCsrWwdgRst = 1u << 30;
constexpr uint32_t kRccCsrLpwrRst = 1u << 31;

// GPIO port A; its registers: bsp/stm32/gpio.cpp
constexpr uintptr_t kGpioA = 0x40020000;

// USART; their registers: bsp/stm32/usart_sr.cpp
constexpr uintptr_t kUsart1 = 0x40011000;
constexpr uintptr_t kUsart2 = 0x40004400;
constexpr uintptr_t kUsart6 = 0x40011400;

}  // namespace mcugen::stm32f4
