// SPDX-License-Identifier: BSD-3-Clause
//
// From reset to main(). What happens, in order:
//
//  1. Hardware loads MSP from vector 0 and PC from vector 1.
//  2. MSPLIM is set where the core has it: from here on an overflow is a UsageFault.
//  3. VTOR points at our vectors: a bootloader or a ROM may have left it elsewhere.
//  4. The FPU (and MVE) is switched on before any code that may use its registers.
//  5. The stack below us is painted, while nothing deep has run.
//  6. .data is copied, .bss is zeroed. Nothing before this may touch either.
//  7. MemManage, BusFault and UsageFault get their own handlers instead of HardFault; external
//     interrupts that are still on go off.
//  8. board_init(): clock, pins, UART. Then the counters, which need the clock's frequency.
//  9. main().
//
// There are no static constructors: the linker script refuses an .init_array that is not empty.
#include <port/board.h>
#include <port/cortex_m/registers.h>
#include <port/cortex_m/stack_paint.h>
#include <port/cortex_m/vectors.h>
#include <port/cycle_counter.h>
#include <port/panic.h>

extern "C" {
extern uint32_t __data_start[];
extern uint32_t __data_end[];
extern const uint32_t __data_load[];
extern uint32_t __bss_start[];
extern uint32_t __bss_end[];
int main();
}

namespace mcugen {
namespace {

// The bytes between the painted part and the caller's frame stay as they are: they are in use.
inline __attribute__((always_inline)) void paint_stack() {
  uint32_t* stack_pointer;
  __asm volatile("mov %0, sp" : "=r"(stack_pointer));
  for (uint32_t* word = __stack_limit; word < stack_pointer - 4; ++word) {
    *word = kStackPaint;
  }
}

// Steps 7 to 9. Never part of reset_handler(), whatever the optimizer thinks of its only caller:
// its prologue may save FPU registers, and it reads what the loops there write.
[[noreturn]] __attribute__((noipa)) void run() {
#if !defined(__ARM_ARCH_6M__)
  reg32(kScbShcsr) =
      reg32(kScbShcsr) | kScbShcsrMemFaultEna | kScbShcsrBusFaultEna | kScbShcsrUsgFaultEna;
#endif
#if defined(__ARM_FEATURE_MVE)
  reg32(kScbCcr) = reg32(kScbCcr) | kScbCcrLob;  // else each LE instruction is a taken branch
#endif

  // What a boot loader has left on would find no handler: the table ends with the console's.
#pragma GCC unroll 1
  for (uint32_t i = 0; i < kNvicRegisters; ++i) {
    reg32(kNvicIcer0 + 4 * i) = 0xFFFFFFFF;
    reg32(kNvicIcpr0 + 4 * i) = 0xFFFFFFFF;
  }
  __asm volatile("cpsie i" ::: "memory");
  board_init();
  cycle_counter_init();
  main();
  MCUGEN_PANIC("main returned");
}

}  // namespace

extern "C" void reset_handler() {
  // A debugger or a bootloader may jump here with a used stack and interrupts on.
  __asm volatile("cpsid i" ::: "memory");
#if defined(__ARM_ARCH_8M_MAIN__) || defined(__ARM_ARCH_8_1M_MAIN__)
  __asm volatile("msr msplim, %0" ::"r"(__stack_limit));
#endif
  reg32(kScbVtor) = static_cast<uint32_t>(reinterpret_cast<uintptr_t>(vector_table()));
#if defined(__ARM_FP) || defined(__ARM_FEATURE_MVE)
  reg32(kScbCpacr) = reg32(kScbCpacr) | kScbCpacrCp10Cp11Full;
  __asm volatile("dsb\n isb" ::: "memory");
#endif

  paint_stack();

  const uint32_t* from = __data_load;
  for (uint32_t* to = __data_start; to < __data_end; ++to, ++from) {
    *to = *from;
  }
  for (uint32_t* to = __bss_start; to < __bss_end; ++to) {
    *to = 0;
  }

  __asm volatile("" ::: "memory");
  run();
}

}  // namespace mcugen
