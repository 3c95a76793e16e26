// SPDX-License-Identifier: BSD-3-Clause
//
// RM0410 34.8 (F7), RM0433 48.7 (H7), RM0351 40.8 (L4): one byte of buffer, the FIFO that some have
// stays off. The kernel clock stays what it is after a reset, that of the bus.
#include <bsp/stm32/access.h>
#include <bsp/stm32/usart_isr.h>
#include <port/uart.h>

namespace mcugen {
namespace {

constexpr uintptr_t kCr1 = MCUGEN_UART_BASE + 0x00;
constexpr uint32_t kCr1Ue = 1u << 0;
constexpr uint32_t kCr1Re = 1u << 2;
constexpr uint32_t kCr1Te = 1u << 3;
constexpr uint32_t kCr1RxneIe = 1u << 5;
constexpr uintptr_t kBrr = MCUGEN_UART_BASE + 0x0C;
constexpr uintptr_t kIsr = MCUGEN_UART_BASE + 0x1C;
constexpr uint32_t kIsrFe = 1u << 1;
constexpr uint32_t kIsrOre = 1u << 3;
constexpr uint32_t kIsrRxne = 1u << 5;
constexpr uint32_t kIsrTxe = 1u << 7;
constexpr uintptr_t kIcr = MCUGEN_UART_BASE + 0x20;
constexpr uint32_t kIcrPe = 1u << 0;   // PECF
constexpr uint32_t kIcrFe = 1u << 1;   // FECF
constexpr uint32_t kIcrN = 1u << 2;    // NCF
constexpr uint32_t kIcrOre = 1u << 3;  // ORECF
constexpr uint32_t kErrors = kIcrPe | kIcrFe | kIcrN | kIcrOre;
constexpr uintptr_t kRdr = MCUGEN_UART_BASE + 0x24;
constexpr uintptr_t kTdr = MCUGEN_UART_BASE + 0x28;

// The clock divided by the baud rate (oversampling by 16), of an LPUART 256 times that.
uint32_t divider(uint32_t clock_hz, uint32_t baud) {
  if (!stm32::kConsole.uart.low_power) {
    return (clock_hz + baud / 2) / baud;
  }
  // In two parts: 256 times the clock has more than 32 bits.
  return clock_hz / baud * 256 + (clock_hz % baud * 256 + baud / 2) / baud;
}

}  // namespace

namespace stm32 {

void uart_init(uint32_t baud) {
  set_bits(kConsole.uart.enable, kConsole.uart.enable_bit);
  read_back(kConsole.uart.enable);
  console_pins();

  reg32(kBrr) = divider(g_clock.bus_hz[kConsole.uart.bus], baud);
  reg32(kCr1) = kCr1Ue | kCr1Te | kCr1Re | kCr1RxneIe;
  nvic_enable(MCUGEN_UART_RX_IRQ);
}

}  // namespace stm32

bool uart_transmit_ready() { return (reg32(kIsr) & kIsrTxe) != 0; }

void uart_transmit(uint8_t byte) { reg32(kTdr) = byte; }

extern "C" void uart_receive_interrupt() {
  const uint32_t status = reg32(kIsr);
  reg32(kIcr) = status & kErrors;  // they have the same places; else ORE raises this for ever
  if ((status & kIsrOre) != 0) {
    console_lost(1);  // RDR still holds the byte before
  }
  if ((status & kIsrRxne) != 0) {
    const uint8_t byte = static_cast<uint8_t>(reg32(kRdr));  // clears RXNE
    if ((status & kIsrFe) != 0) {
      console_lost(1);  // no stop bit: wrong baud rate, noise, or a break
    } else {
      console_received(byte);
    }
  }
}

}  // namespace mcugen
