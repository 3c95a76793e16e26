// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <bsp/stm32/family.h>

#include <cstdint>

/// RCC and PWR as F4 and F7 have them, named as in RM0390 (STM32F446); the same addresses and bits
/// in RM0383 (F411), RM0368 (F401), RM0410 (F767; CR and CSR of PWR are called CR1 and CSR1 there)
/// and RM0385 (F746).

namespace mcugen::stm32 {

// Power controller, RM0390 5.4
constexpr uintptr_t kPwrCr = 0x40007000;
constexpr uint32_t kPwrCrVosPos = 14;
constexpr uint32_t kPwrCrVosMask = 3;
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
constexpr uint32_t kRccPllCfgrPllPPos = 16;       // P / 2 - 1
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
constexpr uint32_t kRccApb1EnrUsart3 = 1u << 18;
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

/// `clock_init()` of both: HSE or HSI, voltage scale, PLL, over-drive, SYSCLK, `kResetBits`.
void start_f4_clocks();

}  // namespace mcugen::stm32
