// SPDX-License-Identifier: BSD-3-Clause
#include <port/uart.h>

#include <cstdint>

namespace {
volatile uint32_t& reg(uint32_t offset) {
  return *reinterpret_cast<volatile uint32_t*>(MCUGEN_UART_BASE + offset);
}
}  // namespace

namespace mcugen {
void uart_init() { reg(0x30) = 0x301; }
int uart_read() { return reg(0x18) & 0x10 ? -1 : static_cast<int>(reg(0x00)); }
void uart_write(const char* text) {
  while (*text != 0) reg(0x00) = static_cast<uint32_t>(*text++);
}
}  // namespace mcugen
