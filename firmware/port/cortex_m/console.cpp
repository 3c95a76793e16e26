// SPDX-License-Identifier: BSD-3-Clause
#include <port/board.h>
#include <port/console.h>
#include <port/cortex_m/registers.h>
#include <port/uart.h>

namespace mcugen {
namespace {

static_assert((kConsoleRingBytes & (kConsoleRingBytes - 1)) == 0, "indices wrap by masking");

// Single producer (the interrupt writes head), single consumer (the main loop writes tail); each
// index is one aligned store, so neither side needs a lock. They count on without wrapping at the
// ring's size: head - tail is the fill level.
uint8_t g_ring[kConsoleRingBytes];
volatile uint32_t g_head;
volatile uint32_t g_tail;
volatile uint32_t g_lost;
bool g_transmit_stuck;

// A poll is 6 instructions, 11 clocks and what a read across the peripheral bus waits for, some 10
// more at a quarter of the core's clock: 0.09 to 0.16 s. A byte takes 87 us at 115,200 baud.
constexpr uint32_t kTransmitPollsPerSecond = 128;

}  // namespace

void console_received(uint8_t byte) {
  const uint32_t head = g_head;
  if (head - g_tail >= kConsoleRingBytes) {
    console_lost(1);
    return;
  }
  g_ring[head % kConsoleRingBytes] = byte;
  __asm volatile("" ::: "memory");  // the byte is in place before head says so
  g_head = head + 1;
}

void console_lost(uint32_t bytes) { g_lost = g_lost + bytes; }

bool console_read(uint8_t* byte) {
  const uint32_t tail = g_tail;
  if (tail == g_head) {
    return false;
  }
  __asm volatile("" ::: "memory");
  *byte = g_ring[tail % kConsoleRingBytes];
  __asm volatile("" ::: "memory");  // read before the slot is given back
  g_tail = tail + 1;
  return true;
}

void console_wait() {
  // With interrupts masked, WFI still wakes for a pending one: a byte that arrives between the
  // check and the WFI is not slept through.
  InterruptLock lock;
  if (g_head == g_tail) {
    board_wait_for_interrupt();
  }
}

uint32_t console_take_lost() {
  InterruptLock lock;
  const uint32_t lost = g_lost;
  g_lost = 0;
  return lost;
}

void console_write(uint8_t byte) {
  uint32_t polls = g_transmit_stuck ? 1 : board_clock_hz() / kTransmitPollsPerSecond;
  while (!uart_transmit_ready()) {
    if (--polls == 0) {
      g_transmit_stuck = true;
      return;
    }
  }
  g_transmit_stuck = false;
  uart_transmit(byte);
}

void console_write(const uint8_t* data, size_t bytes) {
  for (size_t i = 0; i < bytes; ++i) {
    console_write(data[i]);
  }
}

}  // namespace mcugen
