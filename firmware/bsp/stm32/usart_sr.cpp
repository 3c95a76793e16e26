// SPDX-License-Identifier: BSD-3-Clause
//
// RM0390 25.6 (F4), RM0008 27.6 (F1).
#include <bsp/stm32/access.h>
#include <bsp/stm32/usart_sr.h>
#include <port/uart.h>

namespace mcugen {
namespace {

constexpr uintptr_t kSr = MCUGEN_UART_BASE + 0x00;
constexpr uint32_t kSrFe = 1u << 1;
constexpr uint32_t kSrOre = 1u << 3;
constexpr uint32_t kSrRxne = 1u << 5;
constexpr uint32_t kSrTxe = 1u << 7;
constexpr uintptr_t kDr = MCUGEN_UART_BASE + 0x04;
constexpr uintptr_t kBrr = MCUGEN_UART_BASE + 0x08;
constexpr uintptr_t kCr1 = MCUGEN_UART_BASE + 0x0C;
constexpr uint32_t kCr1Re = 1u << 2;
constexpr uint32_t kCr1Te = 1u << 3;
constexpr uint32_t kCr1RxneIe = 1u << 5;
constexpr uint32_t kCr1Ue = 1u << 13;

}  // namespace

namespace stm32 {

void uart_init(uint32_t baud) {
  set_bits(kConsole.uart.enable, kConsole.uart.enable_bit);
  read_back(kConsole.uart.enable);  // RM0390 6.2.13: it runs two cycles after it is enabled
  console_pins();

  // Oversampling by 16: BRR is the clock divided by the baud rate (RM0390 25.4.4).
  reg32(kBrr) = (g_clock.bus_hz[kConsole.uart.bus] + baud / 2) / baud;
  reg32(kCr1) = kCr1Ue | kCr1Te | kCr1Re | kCr1RxneIe;
  nvic_enable(MCUGEN_UART_RX_IRQ);
}

}  // namespace stm32

bool uart_transmit_ready() { return (reg32(kSr) & kSrTxe) != 0; }

void uart_transmit(uint8_t byte) { reg32(kDr) = byte; }

extern "C" void uart_receive_interrupt() {
  // Reading SR and then DR clears RXNE and the error flags (RM0390 25.6.1). With ORE set, DR holds
  // the byte before the one that was lost.
  const uint32_t status = reg32(kSr);
  if ((status & (kSrRxne | kSrOre)) == 0) {
    return;
  }
  const uint8_t byte = static_cast<uint8_t>(reg32(kDr));
  if ((status & kSrOre) != 0) {
    console_lost(1);
  }
  if ((status & kSrFe) != 0) {
    console_lost(1);  // no stop bit: wrong baud rate, noise, or a break
  } else if ((status & kSrRxne) != 0) {
    console_received(byte);
  }
}

}  // namespace mcugen
