// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>

/// STM32H7 registers and fields, named as in RM0433 (STM32H743). RM0455 (STM32H7A3) calls the
/// domains CD and SRD instead of D1, D2 and D3.

namespace mcugen::stm32h7 {

// Flash interface, RM0433 4.9.1
constexpr uintptr_t kFlashAcr = 0x52002000;
constexpr uint32_t kFlashAcrLatencyMask = 0xF;

// Power controller, RM0433 6.8
constexpr uintptr_t kPwrCsr1 = 0x58024804;
constexpr uint32_t kPwrCsr1ActVosRdy = 1u << 13;
constexpr uintptr_t kPwrCr3 = 0x5802480C;
constexpr uint32_t kPwrCr3SupplyMask = 7;   // BYPASS, LDOEN, and SCUEN (RM0433) or SMPSEN (RM0455)
constexpr uintptr_t kPwrD3Cr = 0x58024818;  // RM0455: SRDCR
constexpr uint32_t kPwrD3CrVosRdy = 1u << 13;
constexpr uint32_t kPwrD3CrVosMask = 3u << 14;

// Reset and clock control, RM0433 8.7
constexpr uintptr_t kRccCr = 0x58024400;
constexpr uint32_t kRccCrHsiOn = 1u << 0;
constexpr uint32_t kRccCrHsiRdy = 1u << 2;
constexpr uint32_t kRccCrHseOn = 1u << 16;
constexpr uint32_t kRccCrHseRdy = 1u << 17;
constexpr uint32_t kRccCrHseByp = 1u << 18;
constexpr uint32_t kRccCrPll1On = 1u << 24;
constexpr uint32_t kRccCrPll1Rdy = 1u << 25;
constexpr uintptr_t kRccCfgr = 0x58024410;
constexpr uint32_t kRccCfgrSwMask = 7;
constexpr uint32_t kRccCfgrSwHsi = 0;
constexpr uint32_t kRccCfgrSwHse = 2;
constexpr uint32_t kRccCfgrSwPll1 = 3;
constexpr uint32_t kRccCfgrSwsPos = 3;
constexpr uintptr_t kRccD1Cfgr = 0x58024418;  // RM0455: CDCFGR1
constexpr uint32_t kRccD1CfgrHpreMask = 0xF;
constexpr uint32_t kRccD1CfgrHpreDiv2 = 8;
constexpr uint32_t kRccD1CfgrD1PprePos = 4;  // three bits; 4: /2
constexpr uint32_t kRccD1CfgrD1CpreMask = 0xFu << 8;
constexpr uintptr_t kRccD2Cfgr = 0x5802441C;  // RM0455: CDCFGR2
constexpr uint32_t kRccD2CfgrD2Ppre1Pos = 4;
constexpr uint32_t kRccD2CfgrD2Ppre2Pos = 8;
constexpr uintptr_t kRccD3Cfgr = 0x58024420;  // RM0455: SRDCFGR
constexpr uint32_t kRccD3CfgrD3PprePos = 4;
constexpr uintptr_t kRccPllCkSelR = 0x58024428;  // PLLCKSELR
constexpr uint32_t kRccPllCkSelRPllSrcMask = 3;
constexpr uint32_t kRccPllCkSelRPllSrcHsi = 0;
constexpr uint32_t kRccPllCkSelRPllSrcHse = 2;
constexpr uint32_t kRccPllCkSelRDivM1Pos = 4;
constexpr uint32_t kRccPllCkSelRDivM1Mask = 0x3Fu << 4;
constexpr uintptr_t kRccPllCfgr = 0x5802442C;
constexpr uint32_t kRccPllCfgrPll1FracEn = 1u << 0;
constexpr uint32_t kRccPllCfgrPll1VcoSel = 1u << 1;  // 0: the wide VCO
constexpr uint32_t kRccPllCfgrPll1RgeMask = 3u << 2;
constexpr uint32_t kRccPllCfgrPll1RgePos = 2;  // 1: 2 to 4 MHz at the input
constexpr uint32_t kRccPllCfgrDivP1En = 1u << 16;
constexpr uintptr_t kRccPll1DivR = 0x58024430;  // each one less than the factor
constexpr uint32_t kRccPll1DivRDivN1Pos = 0;
constexpr uint32_t kRccPll1DivRDivP1Pos = 9;
constexpr uint32_t kRccPll1DivRDivQ1Pos = 16;
constexpr uint32_t kRccPll1DivRDivR1Pos = 24;
// RM0433 8.7.38 and on, where C1_ stands before these names; RM0455 8.7 has them here only
constexpr uintptr_t kRccRsr = 0x58024530;
constexpr uint32_t kRccRsrRmvf = 1u << 16;
constexpr uint32_t kRccRsrBorRst = 1u << 21;
constexpr uint32_t kRccRsrPinRst = 1u << 22;
constexpr uint32_t kRccRsrPorRst = 1u << 23;
constexpr uint32_t kRccRsrSftRst = 1u << 24;
constexpr uint32_t kRccRsrIwdgRst = 1u << 26;  // RM0433: IWDG1RSTF
constexpr uint32_t kRccRsrWwdgRst = 1u << 28;  // RM0433: WWDG1RSTF
constexpr uint32_t kRccRsrLpwrRst = 1u << 30;
constexpr uintptr_t kRccAhb4Enr = 0x58024540;  // bit n: port n
constexpr uintptr_t kRccApb1LEnr = 0x58024548;
constexpr uint32_t kRccApb1LEnrUsart2 = 1u << 17;
constexpr uint32_t kRccApb1LEnrUsart3 = 1u << 18;
constexpr uintptr_t kRccApb2Enr = 0x58024550;
constexpr uint32_t kRccApb2EnrUsart1 = 1u << 4;
constexpr uintptr_t kRccApb4Enr = 0x58024554;
constexpr uint32_t kRccApb4EnrSyscfg = 1u << 1;

// System configuration, RM0433 12.3 (H743 only)
constexpr uintptr_t kSyscfgPwrCr = 0x5800042C;
constexpr uint32_t kSyscfgPwrCrOdEn = 1u << 0;

// Debug, RM0433 60.5.8
constexpr uintptr_t kDbgmcuIdc = 0x5C001000;
constexpr uint32_t kDbgmcuIdcRevIdPos = 16;

// AXI interconnect, target 7 (SRAM), RM0433 2.2.4
constexpr uintptr_t kAxiTarg7FnMod = 0x51008108;
constexpr uint32_t kAxiTarg7FnModReadIss = 1u << 0;

// GPIO port A, RM0433 2.3.2; its registers: bsp/stm32/gpio.cpp
constexpr uintptr_t kGpioA = 0x58020000;

// USART, RM0433 2.3.2; their registers: bsp/stm32/usart_isr.cpp
constexpr uintptr_t kUsart1 = 0x40011000;
constexpr uintptr_t kUsart2 = 0x40004400;
constexpr uintptr_t kUsart3 = 0x40004800;

}  // namespace mcugen::stm32h7
