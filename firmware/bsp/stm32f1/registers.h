// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>

/// STM32F1 registers and fields, named as in RM0008 (STM32F103). Base addresses: RM0008 3.3.

namespace mcugen::stm32f1 {

// Flash interface, RM0008 3.3.3; PM0075 3.1
constexpr uintptr_t kFlashAcr = 0x40022000;
constexpr uint32_t kFlashAcrLatencyMask = 7;
constexpr uint32_t kFlashAcrPrftbE = 1u << 4;
constexpr uint32_t kFlashAcrPrftbS = 1u << 5;

// Reset and clock control, RM0008 7.3
constexpr uintptr_t kRccCr = 0x40021000;
constexpr uint32_t kRccCrHsiOn = 1u << 0;
constexpr uint32_t kRccCrHsiRdy = 1u << 1;
constexpr uint32_t kRccCrHseOn = 1u << 16;
constexpr uint32_t kRccCrHseRdy = 1u << 17;
constexpr uint32_t kRccCrHseByp = 1u << 18;
constexpr uint32_t kRccCrPllOn = 1u << 24;
constexpr uint32_t kRccCrPllRdy = 1u << 25;
constexpr uintptr_t kRccCfgr = 0x40021004;
constexpr uint32_t kRccCfgrSwHsi = 0;
constexpr uint32_t kRccCfgrSwHse = 1;
constexpr uint32_t kRccCfgrSwPll = 2;
constexpr uint32_t kRccCfgrSwsPos = 2;
constexpr uint32_t kRccCfgrHprePos = 4;
constexpr uint32_t kRccCfgrPpre1Pos = 8;
constexpr uint32_t kRccCfgrPpre2Pos = 11;
constexpr uint32_t kRccCfgrPllSrcMask = 1u << 16;  // PLLSRC: 0: HSI / 2, 1: HSE
constexpr uint32_t kRccCfgrPllXtpre = 1u << 17;    // HSE / 2
constexpr uint32_t kRccCfgrPllMulPos = 18;         // 2 less than the factor
constexpr uint32_t kRccCfgrPllMulMask = 0xF;
constexpr uintptr_t kRccApb2Enr = 0x40021018;
constexpr uint32_t kRccApb2EnrIopA = 1u << 2;  // then port by port
constexpr uint32_t kRccApb2EnrUsart1 = 1u << 14;
constexpr uintptr_t kRccApb1Enr = 0x4002101C;
constexpr uint32_t kRccApb1EnrUsart2 = 1u << 17;
constexpr uint32_t kRccApb1EnrUsart3 = 1u << 18;
constexpr uintptr_t kRccCsr = 0x40021024;
constexpr uint32_t kRccCsrRmvf = 1u << 24;
constexpr uint32_t kRccCsrPinRst = 1u << 26;
constexpr uint32_t kRccCsrPorRst = 1u << 27;
constexpr uint32_t kRccCsrSftRst = 1u << 28;
constexpr uint32_t kRccCsrIwdgRst = 1u << 29;
constexpr uint32_t kRccCsrWwdgRst = 1u << 30;
constexpr uint32_t kRccCsrLpwrRst = 1u << 31;

// GPIO, RM0008 9.2; offsets from a port. CRL and CRH: four bits a pin, MODE and CNF
constexpr uintptr_t kGpioA = 0x40010800;
constexpr uintptr_t kGpioCrl = 0x00;
constexpr uintptr_t kGpioCrh = 0x04;
constexpr uintptr_t kGpioBsrr = 0x10;

// USART, RM0008 3.3; their registers: bsp/stm32/usart_sr.cpp
constexpr uintptr_t kUsart1 = 0x40013800;
constexpr uintptr_t kUsart2 = 0x40004400;
constexpr uintptr_t kUsart3 = 0x40004800;

}  // namespace mcugen::stm32f1
