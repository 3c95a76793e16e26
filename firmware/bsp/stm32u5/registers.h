// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>

/// STM32U5 registers and fields, named as in RM0456, at their non-secure addresses (RM0456 2.3.2):
/// with TZEN = 0, as parts are delivered, there are no others.

namespace mcugen::stm32u5 {

// Flash interface, RM0456 7.9.1
constexpr uintptr_t kFlashAcr = 0x40022000;
constexpr uint32_t kFlashAcrLatencyMask = 0xF;
constexpr uint32_t kFlashAcrPrftEn = 1u << 8;

// Instruction cache, RM0456 8.7
constexpr uintptr_t kIcacheCr = 0x40030400;
constexpr uint32_t kIcacheCrEn = 1u << 0;
constexpr uintptr_t kIcacheSr = 0x40030404;
constexpr uint32_t kIcacheSrBusyF = 1u << 0;

// Power controller, RM0456 10.10
constexpr uintptr_t kPwrVosr = 0x4602080C;
constexpr uint32_t kPwrVosrBoostRdy = 1u << 14;
constexpr uint32_t kPwrVosrVosRdy = 1u << 15;
constexpr uint32_t kPwrVosrVosMask = 3u << 16;
constexpr uint32_t kPwrVosrVosRange1 = 3u << 16;
constexpr uint32_t kPwrVosrBoostEn = 1u << 18;
constexpr uintptr_t kPwrSvmcr = 0x46020810;
constexpr uint32_t kPwrSvmcrIo2Sv = 1u << 29;
constexpr uintptr_t kPwrDbpr = 0x46020828;
constexpr uint32_t kPwrDbprDbp = 1u << 0;

// Reset and clock control, RM0456 11.8
constexpr uintptr_t kRccCr = 0x46020C00;
constexpr uint32_t kRccCrMsiPllEn = 1u << 3;
constexpr uint32_t kRccCrMsiPllSel = 1u << 6;  // 1: of MSIS
constexpr uint32_t kRccCrHsiOn = 1u << 8;
constexpr uint32_t kRccCrHsiRdy = 1u << 10;
constexpr uint32_t kRccCrHseOn = 1u << 16;
constexpr uint32_t kRccCrHseRdy = 1u << 17;
constexpr uint32_t kRccCrHseByp = 1u << 18;
constexpr uint32_t kRccCrPll1On = 1u << 24;
constexpr uint32_t kRccCrPll1Rdy = 1u << 25;
constexpr uintptr_t kRccCfgr1 = 0x46020C1C;
constexpr uint32_t kRccCfgr1SwMask = 3;
constexpr uint32_t kRccCfgr1SwMsis = 0;
constexpr uint32_t kRccCfgr1SwHse = 2;
constexpr uint32_t kRccCfgr1SwPll = 3;
constexpr uint32_t kRccCfgr1SwsPos = 2;
constexpr uintptr_t kRccPll1Cfgr = 0x46020C28;
constexpr uint32_t kRccPll1CfgrSrcMsis = 1;         // PLL1SRC
constexpr uint32_t kRccPll1CfgrSrcHsi = 2;          // PLL1SRC
constexpr uint32_t kRccPll1CfgrSrcHse = 3;          // PLL1SRC
constexpr uint32_t kRccPll1CfgrPll1MPos = 8;        // value: M - 1
constexpr uint32_t kRccPll1CfgrPll1MBoostPos = 12;  // 0: 1, 1: /2, 2: /4
constexpr uint32_t kRccPll1CfgrPll1REn = 1u << 18;
constexpr uintptr_t kRccPll1Divr = 0x46020C34;
constexpr uint32_t kRccPll1DivrPll1NPos = 0;  // these four: less one
constexpr uint32_t kRccPll1DivrPll1PPos = 9;
constexpr uint32_t kRccPll1DivrPll1QPos = 16;
constexpr uint32_t kRccPll1DivrPll1RPos = 24;
constexpr uintptr_t kRccAhb2Enr1 = 0x46020C8C;
constexpr uint32_t kRccAhb2Enr1GpioAPos = 0;  // GPIOAEN
constexpr uintptr_t kRccAhb3Enr = 0x46020C94;
constexpr uint32_t kRccAhb3EnrPwr = 1u << 2;
constexpr uintptr_t kRccApb1Enr1 = 0x46020C9C;
constexpr uint32_t kRccApb1Enr1Usart2 = 1u << 17;
constexpr uint32_t kRccApb1Enr1Usart3 = 1u << 18;
constexpr uintptr_t kRccApb2Enr = 0x46020CA4;
constexpr uint32_t kRccApb2EnrUsart1 = 1u << 14;
constexpr uintptr_t kRccApb3Enr = 0x46020CA8;
constexpr uint32_t kRccApb3EnrLpuart1 = 1u << 6;
constexpr uintptr_t kRccBdcr = 0x46020CF0;
constexpr uint32_t kRccBdcrLseSysEn = 1u << 7;
constexpr uint32_t kRccBdcrLseSysRdy = 1u << 11;
constexpr uintptr_t kRccCsr = 0x46020CF4;
constexpr uint32_t kRccCsrRmvf = 1u << 23;
constexpr uint32_t kRccCsrPinRst = 1u << 26;
constexpr uint32_t kRccCsrBorRst = 1u << 27;
constexpr uint32_t kRccCsrSftRst = 1u << 28;
constexpr uint32_t kRccCsrIwdgRst = 1u << 29;
constexpr uint32_t kRccCsrWwdgRst = 1u << 30;
constexpr uint32_t kRccCsrLpwrRst = 1u << 31;

// Pins and console, RM0456 2.3.2
constexpr uintptr_t kGpioA = 0x42020000;
constexpr uintptr_t kUsart1 = 0x40013800;
constexpr uintptr_t kUsart2 = 0x40004400;
constexpr uintptr_t kUsart3 = 0x40004800;
constexpr uintptr_t kLpuart1 = 0x46002400;

}  // namespace mcugen::stm32u5
