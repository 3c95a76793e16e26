// SPDX-License-Identifier: BSD-3-Clause
#include <port/uart.h>

#include <cstdint>

namespace {
volatile uint32_t& reg(uint32_t offset) {
  return *reinterpret_cast<volatile uint32_t*>(MCUGEN_UART_BASE + offset);
}
}  // namespace

namespace mcugen {
void uart_init() { reg(0x0C) = 0x200C; }
int uart_read() { return reg(0x00) & 0x20 ? static_cast<int>(reg(0x04)) : -1; }
void uart_write(const char* text) {
  while (*text != 0) reg(0x04) = static_cast<uint32_t>(*text++);
}
}  // namespace mcugen
