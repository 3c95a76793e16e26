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
constexpr uint32_t kRccPllCfgrPllPPos = 16;  // value: P / 2 - 1
constexpr uint32_t kRccPllCfgrSrcHse = 1u << 22;
constexpr uint32_t kRccPllCfgrPllQPos = 24;
constexpr uint32_t kRccPllCfgrPllRPos = 28;
constexpr uintptr_t kRccCfgr = 0x40023808;
constexpr uint32_t kRccCfgrSwMask = 3u << 0;
constexpr uint32_t kRccCfgrSwHsi = 0;
constexpr uint32_t kRccCfgrSwHse = 1;
constexpr uint32_t kRccCfgrSwPll = 2;
constexpr uint32_t kRccCfgrSwsPos = 2;
constexpr uint32_t kRccCfgrHpreMask = 0xFu << 4;
constexpr uint32_t kRccCfgrPpre1Pos = 10;  // 0: 1, 4: /2, 5: /4, 6: /8, 7: /16
constexpr uint32_t kRccCfgrPpre2Pos = 13;
constexpr uint32_t kRccCfgrPpreMask = 7;
constexpr uintptr_t kRccAhb1Enr = 0x40023830;
constexpr uint32_t kRccAhb1EnrGpioA = 1u << 0;
constexpr uintptr_t kRccApb1Enr = 0x40023840;
constexpr uint32_t kRccApb1EnrUsart2 = 1u << 17;
constexpr uint32_t kRccApb1EnrPwr = 1u << 28;
constexpr uintptr_t kRccCsr = 0x40023874;
constexpr uint32_t kRccCsrRmvf = 1u << 24;
constexpr uint32_t kRccCsrBorRst = 1u << 25;
constexpr uint32_t kRccCsrPinRst = 1u << 26;
constexpr uint32_t kRccCsrPorRst = 1u << 27;
constexpr uint32_t kRccCsrSftRst = 1u << 28;
constexpr uint32_t kRccCsrIwdgRst = 1u << 29;
constexpr uint32_t kRccCsrWwdgRst = 1u << 30;
constexpr uint32_t kRccCsrLpwrRst = 1u << 31;

// GPIO port A, RM0390 7.4
constexpr uintptr_t kGpioAModer = 0x40020000;
constexpr uint32_t kGpioModerAlternate = 2;  // two bits a pin
constexpr uintptr_t kGpioAPupdr = 0x4002000C;
constexpr uint32_t kGpioPupdrPullUp = 1;      // two bits a pin
constexpr uintptr_t kGpioAAfrl = 0x40020020;  // four bits a pin

// USART, RM0390 25.6; offsets from MCUGEN_UART_BASE
constexpr uintptr_t kUsartSr = 0x00;
constexpr uint32_t kUsartSrFe = 1u << 1;
constexpr uint32_t kUsartSrOre = 1u << 3;
constexpr uint32_t kUsartSrRxne = 1u << 5;
constexpr uint32_t kUsartSrTxe = 1u << 7;
constexpr uintptr_t kUsartDr = 0x04;
constexpr uintptr_t kUsartBrr = 0x08;
constexpr uintptr_t kUsartCr1 = 0x0C;
constexpr uint32_t kUsartCr1Re = 1u << 2;
constexpr uint32_t kUsartCr1Te = 1u << 3;
constexpr uint32_t kUsartCr1RxneIe = 1u << 5;
constexpr uint32_t kUsartCr1Ue = 1u << 13;

}  // namespace mcugen::stm32f4
