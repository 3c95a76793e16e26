// SPDX-License-Identifier: BSD-3-Clause
//
// Fault report over the console, in polling mode: docs/protocol.md, "Fault report".
#include <port/board.h>
#include <port/console.h>
#include <port/cortex_m/registers.h>
#include <port/cortex_m/stack_paint.h>
#include <port/panic.h>
#include <port/stack.h>

// Whether causes are told in words, besides CFSR.
#ifndef MCUGEN_FAULT_WORDS
#define MCUGEN_FAULT_WORDS 1
#endif

namespace mcugen {
namespace {

void put(const char* text) {
  for (; *text != '\0'; ++text) {
    console_write(static_cast<uint8_t>(*text));
  }
}

void put_hex_line(const char* label, uint32_t value) {
  put(label);
  put("0x");
  for (int shift = 28; shift >= 0; shift -= 4) {
    console_write(static_cast<uint8_t>("0123456789abcdef"[(value >> shift) & 0xF]));
  }
  put("\r\n");
}

void put_cause(const char* text) {
  put("m-fault-cause-[");
  put(text);
  put("]\r\n");
}

void put_head(const char* kind, uint32_t pc, uint32_t lr) {
  put("\r\ne-[Fault: ");
  put(kind);
  put("]\r\n");
  put_hex_line("m-fault-pc-", pc);
  put_hex_line("m-fault-lr-", lr);
}

[[noreturn]] void wait_for_reset() {
  __asm volatile("cpsid i" ::: "memory");
  for (;;) {
    board_wait_for_interrupt();
  }
}

#if !defined(__ARM_ARCH_6M__)
// What each bit of CFSR says, from bit 0 on, each ended by a NUL; reserved and valid bits are
// empty. DDI 0403 B3.2.15; bit 20 is v8-M (DDI 0553 D1.2.11, UFSR.STKOF).
#if MCUGEN_FAULT_WORDS
constexpr char kCfsrWords[] =
    "instruction access violation\0"
    "data access violation\0"
    "\0"
    "MPU fault, unstacking\0"
    "MPU fault, stacking\0"
    "MPU fault, lazy FP\0"
    "\0\0"
    "instruction bus error\0"
    "precise data bus error\0"
    "imprecise data bus error\0"
    "bus error, unstacking\0"
    "bus error, stacking\0"
    "bus error, lazy FP\0"
    "\0\0"
    "undefined instruction\0"
    "invalid state\0"
    "invalid exception return\0"
    "no coprocessor\0"
    "stack limit passed\0"
    "\0\0\0"
    "unaligned access\0"
    "division by zero";
constexpr uint32_t kCfsrCauses = 0x031F3F3B;  // those with words
#endif
constexpr uint32_t kCfsrMmarValid = 1u << 7;
constexpr uint32_t kCfsrBfarValid = 1u << 15;
constexpr uint32_t kCfsrStkOf = 1u << 20;
// The frame of the faulting code could not be written: what is read as PC and LR is not it.
constexpr uint32_t kCfsrNoFrame = (1u << 4) | (1u << 12) | kCfsrStkOf;
constexpr uint32_t kHfsrVectTbl = 1u << 1;
#endif

}  // namespace

/// Called by the exception entry below, on a stack that can be used.
/// @param[in] frame Stack pointer at exception entry: r0-r3, r12, lr, pc, xpsr of the fault.
// `used`: called from assembly only.
extern "C" __attribute__((used)) [[noreturn]] void report_fault(const uint32_t* frame) {
  uint32_t exception;
  __asm volatile("mrs %0, ipsr" : "=r"(exception));
  uint32_t cfsr = 0;
  bool frame_valid = frame >= __stack_limit && frame + 8 <= __stack_top;
#if !defined(__ARM_ARCH_6M__)
  cfsr = reg32(kScbCfsr);
  frame_valid = frame_valid && (cfsr & kCfsrNoFrame) == 0;
#endif

  const char* kind = "Panic";
  if (exception >= 2 && exception <= 6) {
    constexpr const char* kKinds[] = {"NMI", "HardFault", "MemManage", "BusFault", "UsageFault"};
    kind = kKinds[exception - 2];
  }
  put_head(kind, frame_valid ? frame[6] : 0, frame_valid ? frame[5] : 0);
  put_hex_line("m-fault-cfsr-", cfsr);
  if (exception > 6) {
    put_cause("unexpected exception");
    put_hex_line("m-fault-exception-", exception);
  }
#if defined(__ARM_ARCH_6M__)
  if (stack_overflowed() || frame < __stack_limit) {
    put_cause("stack overflow");
  }
#else
  if ((cfsr & kCfsrMmarValid) != 0) {
    put_hex_line("m-fault-address-", reg32(kScbMmfar));
  } else if ((cfsr & kCfsrBfarValid) != 0) {
    put_hex_line("m-fault-address-", reg32(kScbBfar));
  }
#if MCUGEN_FAULT_WORDS
  const char* words = kCfsrWords;
  for (uint32_t bits = cfsr & kCfsrCauses; bits != 0; bits >>= 1) {
    if ((bits & 1) != 0) {
      put_cause(words);
    }
    while (*words++ != '\0') {
    }
  }
#endif
  if ((reg32(kScbHfsr) & kHfsrVectTbl) != 0) {
    put_cause("bus error, vector");
  }
  if ((cfsr & kCfsrStkOf) != 0 || stack_overflowed() || frame < __stack_limit) {
    put_cause("stack overflow");
  }
#endif
  wait_for_reset();
}

/// Entry of every fault and of every interrupt that nobody handles. The stack may be the cause: if
/// little is left of it, it is started anew from the top before anything is pushed. That costs the
/// callers' frames, not the fault's own unless it lies there.
extern "C" __attribute__((naked)) void fault_entry() {
  __asm volatile(
      ".syntax unified\n"
      "mrs r0, msp\n"
      "ldr r1, =__stack_limit\n"
      "movs r2, #255\n"
      "adds r1, r1, r2\n"
      "cmp r0, r1\n"
      "bhi 1f\n"
      "ldr r1, =__stack_top\n"
      "msr msp, r1\n"
      "1:\n"
      "ldr r1, =report_fault\n"
      "bx r1\n"
      ".ltorg\n");
}

void panic_report(const char* file, int line, const char* message, const void* caller) {
  const uint32_t address = static_cast<uint32_t>(reinterpret_cast<uintptr_t>(caller));
  put_head("Panic", address & ~1u, address);
  put_hex_line("m-fault-cfsr-", 0);
  put("m-fault-cause-[");
  put(file);
  console_write(':');
  char digits[11];
  char* digit = digits + sizeof(digits) - 1;
  *digit = '\0';
  for (unsigned int rest = line < 0 ? 0u : static_cast<unsigned int>(line);;) {
    *--digit = static_cast<char>('0' + rest % 10);
    rest /= 10;
    if (rest == 0) {
      break;
    }
  }
  put(digit);
  console_write(' ');
  put(message);
  put("]\r\n");
}

void panic(const char* file, int line, const char* message) {
  __asm volatile("cpsid i" ::: "memory");
  panic_report(file, line, message, __builtin_return_address(0));
  wait_for_reset();
}

}  // namespace mcugen
