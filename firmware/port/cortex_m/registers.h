// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>

/// Core registers, named as in the Armv7-M Architecture Reference Manual (DDI 0403, chapters B3
/// and C1) and, for what is marked v8-M, in DDI 0553.

namespace mcugen {

inline volatile uint32_t& reg32(uintptr_t address) {
  return *reinterpret_cast<volatile uint32_t*>(address);
}

/// Read a register for the time it takes: the write before it has then arrived.
inline void read_back(uintptr_t address) {
  const uint32_t value = reg32(address);
  static_cast<void>(value);
}

/// Read a register until its bits under `mask` are `value`.
/// @param[in] polls How often at most: a poll takes 9 clocks of the core or more.
/// @returns whether they became so.
inline bool wait_for(uintptr_t address, uint32_t mask, uint32_t value, uint32_t polls) {
  for (; polls > 0; --polls) {
    if ((reg32(address) & mask) == value) {
      return true;
    }
  }
  return false;
}

// SysTick, DDI 0403 B3.3
constexpr uintptr_t kSystCsr = 0xE000E010;
constexpr uint32_t kSystCsrEnable = 1u << 0;
constexpr uint32_t kSystCsrTickInt = 1u << 1;
constexpr uint32_t kSystCsrClkSourceCore = 1u << 2;
constexpr uintptr_t kSystRvr = 0xE000E014;
constexpr uintptr_t kSystCvr = 0xE000E018;
constexpr uintptr_t kSystCalib = 0xE000E01C;
constexpr uint32_t kSystCalibTenms = 0x00FFFFFF;

// NVIC, DDI 0403 B3.4
constexpr uintptr_t kNvicIser0 = 0xE000E100;
constexpr uintptr_t kNvicIcer0 = 0xE000E180;
constexpr uintptr_t kNvicIcpr0 = 0xE000E280;
#if defined(__ARM_ARCH_6M__)
constexpr uint32_t kNvicRegisters = 1;  // of each kind, DDI 0419 B3.4
#else
constexpr uint32_t kNvicRegisters = 8;  // 240 interrupts; what is not implemented ignores writes
#endif

// System control block, DDI 0403 B3.2
constexpr uintptr_t kScbIcsr = 0xE000ED04;
constexpr uint32_t kScbIcsrPendStClr = 1u << 25;
constexpr uint32_t kScbIcsrPendStSet = 1u << 26;
constexpr uintptr_t kScbVtor = 0xE000ED08;
constexpr uintptr_t kScbCcr = 0xE000ED14;
constexpr uint32_t kScbCcrUnalignTrp = 1u << 3;
constexpr uint32_t kScbCcrLob = 1u << 19;  // v8.1-M: loop and branch info cache
constexpr uintptr_t kScbShcsr = 0xE000ED24;
constexpr uint32_t kScbShcsrMemFaultEna = 1u << 16;
constexpr uint32_t kScbShcsrBusFaultEna = 1u << 17;
constexpr uint32_t kScbShcsrUsgFaultEna = 1u << 18;
constexpr uintptr_t kScbCfsr = 0xE000ED28;
constexpr uintptr_t kScbHfsr = 0xE000ED2C;
constexpr uintptr_t kScbMmfar = 0xE000ED34;
constexpr uintptr_t kScbBfar = 0xE000ED38;
constexpr uintptr_t kScbCpacr = 0xE000ED88;
constexpr uint32_t kScbCpacrCp10Cp11Full = 0xFu << 20;

// Debug and DWT, DDI 0403 C1.6.5 and C1.8
constexpr uintptr_t kDemcr = 0xE000EDFC;
constexpr uint32_t kDemcrTrcEna = 1u << 24;
constexpr uintptr_t kDwtCtrl = 0xE0001000;
constexpr uint32_t kDwtCtrlCycCntEna = 1u << 0;
constexpr uint32_t kDwtCtrlNoCycCnt = 1u << 25;
constexpr uintptr_t kDwtCyccnt = 0xE0001004;
// CoreSight software lock, implemented in front of the Cortex-M7's DWT (DDI 0489, 9.2)
constexpr uintptr_t kDwtLar = 0xE0001FB0;
constexpr uint32_t kDwtLarKey = 0xC5ACCE55;
constexpr uintptr_t kDwtLsr = 0xE0001FB4;
constexpr uint32_t kDwtLsrPresentAndLocked = 0x3;

/// Enable an external interrupt.
inline void nvic_enable(uint32_t irq) { reg32(kNvicIser0 + 4 * (irq / 32)) = 1u << (irq % 32); }

/// Interrupts are off while one of these is alive; nests.
class InterruptLock {
 public:
  InterruptLock() { __asm volatile("mrs %0, primask\n cpsid i" : "=r"(primask_)::"memory"); }
  ~InterruptLock() { __asm volatile("msr primask, %0" ::"r"(primask_) : "memory"); }
  InterruptLock(const InterruptLock&) = delete;
  InterruptLock& operator=(const InterruptLock&) = delete;

 private:
  uint32_t primask_;
};

}  // namespace mcugen
