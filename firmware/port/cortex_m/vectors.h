// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <port/cortex_m/stack_paint.h>
#include <port/uart.h>

#include <cstdint>

/// The vector table. Which interrupt the console receives by differs between boards, and only
/// `bsp/` knows: its vectors.cpp defines the table and `vector_table()`, from what is here.

extern "C" {
[[noreturn]] void reset_handler();  // startup.cpp
void fault_entry();                 // fault.cpp
void systick_interrupt();           // cycle_counter.cpp
}

namespace mcugen {

/// DDI 0403 B1.5.2. Ends with the only interrupt that is ever enabled.
template <uint32_t kReceiveIrq>
struct VectorTable {
  using Handler = void (*)();

  uint32_t* initial_stack;
  Handler reset;
  Handler core[14];
  Handler irq[kReceiveIrq + 1];
};

/// @returns the table: SysTick, the console's receive interrupt, and a fault report for all else.
template <uint32_t kReceiveIrq>
constexpr VectorTable<kReceiveIrq> make_vectors() {
  VectorTable<kReceiveIrq> table{};
  table.initial_stack = __stack_top;
  table.reset = reset_handler;
  for (auto& handler : table.core) {
    handler = fault_entry;
  }
  table.core[13] = systick_interrupt;
  for (auto& handler : table.irq) {
    handler = fault_entry;
  }
  table.irq[kReceiveIrq] = uart_receive_interrupt;
  return table;
}

/// VTOR needs the table aligned to its size rounded up to a power of two, at least 128 bytes.
constexpr uint32_t vector_alignment(uint32_t bytes) {
  uint32_t alignment = 128;
  while (alignment < bytes) {
    alignment *= 2;
  }
  return alignment;
}

/// @returns the table's address, for VTOR. Implemented by the bsp. Called before .data and .bss are
///     set up.
const void* vector_table();

}  // namespace mcugen
