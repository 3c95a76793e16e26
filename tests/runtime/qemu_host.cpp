// SPDX-License-Identifier: BSD-3-Clause
// Starts newlib's semihosting _start on an emulated Cortex-M4, so that host.cpp runs there.

#include <cstdint>

extern "C" {
extern uint32_t stack_top;
[[noreturn]] void _start();

[[noreturn]] static void fault() {
  // SYS_EXIT, ADP_Stopped_RunTimeErrorUnknown.
  register uint32_t r0 asm("r0") = 0x18;
  register uint32_t r1 asm("r1") = 0x20023;
  asm volatile("bkpt 0xab" : : "r"(r0), "r"(r1) : "memory");
  while (true) {
  }
}

[[noreturn]] static void reset() {
#if __ARM_ARCH_ISA_THUMB == 1
  // CCR: code for cores that have no unaligned access traps it on one that has.
  *reinterpret_cast<volatile uint32_t*>(0xE000ED14) |= 8;
#endif
  *reinterpret_cast<volatile uint32_t*>(0xE000ED88) = 0xF << 20;  // CPACR: the FPU is on.
  asm volatile("dsb\nisb");
  _start();
}

__attribute__((section(".vectors"), used)) const void* const vectors[16] = {
    &stack_top,
    reinterpret_cast<const void*>(reset),
    reinterpret_cast<const void*>(fault),
    reinterpret_cast<const void*>(fault),
    reinterpret_cast<const void*>(fault),
    reinterpret_cast<const void*>(fault),
    reinterpret_cast<const void*>(fault),
};
}
