// SPDX-License-Identifier: BSD-3-Clause
#include <bsp/stm32f4/clock.h>
#include <bsp/stm32f4/registers.h>
#include <bsp/stm32f4/uart.h>
#include <port/cortex_m/registers.h>
#include <port/uart.h>

#if !defined(MCUGEN_UART_BASE) || !defined(MCUGEN_UART_RX_IRQ)
#error "The board file must define the macros listed in bsp/stm32f4/README.md"
#endif

namespace mcugen {

static_assert(MCUGEN_UART_BASE == 0x40004400, "clock enable and pins below are USART2's");

namespace stm32f4 {
namespace {

constexpr uint32_t kTxPin = 2;
constexpr uint32_t kRxPin = 3;
constexpr uint32_t kUsart2Af = 7;  // DS10693 table 11

void set_field(uintptr_t address, uint32_t index, uint32_t width, uint32_t value) {
  const uint32_t shift = index * width;
  const uint32_t mask = ((1u << width) - 1) << shift;
  reg32(address) = (reg32(address) & ~mask) | value << shift;
}

}  // namespace

void uart_init(uint32_t baud) {
  reg32(kRccAhb1Enr) = reg32(kRccAhb1Enr) | kRccAhb1EnrGpioA;
  reg32(kRccApb1Enr) = reg32(kRccApb1Enr) | kRccApb1EnrUsart2;
  read_back(kRccApb1Enr);  // RM0390 6.2.13: the clock runs two cycles after it is enabled

  set_field(kGpioAAfrl, kTxPin, 4, kUsart2Af);
  set_field(kGpioAAfrl, kRxPin, 4, kUsart2Af);
  set_field(kGpioAPupdr, kRxPin, 2, kGpioPupdrPullUp);  // idle level while no probe drives it
  set_field(kGpioAModer, kTxPin, 2, kGpioModerAlternate);
  set_field(kGpioAModer, kRxPin, 2, kGpioModerAlternate);

  // Oversampling by 16: BRR is the clock divided by the baud rate (RM0390 25.4.4).
  reg32(MCUGEN_UART_BASE + kUsartBrr) = (apb1_clock_hz() + baud / 2) / baud;
  reg32(MCUGEN_UART_BASE + kUsartCr1) = kUsartCr1Ue | kUsartCr1Te | kUsartCr1Re | kUsartCr1RxneIe;
  nvic_enable(MCUGEN_UART_RX_IRQ);
}

}  // namespace stm32f4

bool uart_transmit_ready() {
  return (reg32(MCUGEN_UART_BASE + stm32f4::kUsartSr) & stm32f4::kUsartSrTxe) != 0;
}

void uart_transmit(uint8_t byte) { reg32(MCUGEN_UART_BASE + stm32f4::kUsartDr) = byte; }

extern "C" void uart_receive_interrupt() {
  using namespace stm32f4;
  // Reading SR and then DR clears RXNE and the error flags (RM0390 25.6.1). With ORE set, DR holds
  // the byte before the one that was lost.
  const uint32_t status = reg32(MCUGEN_UART_BASE + kUsartSr);
  if ((status & (kUsartSrRxne | kUsartSrOre)) == 0) {
    return;
  }
  const uint8_t byte = static_cast<uint8_t>(reg32(MCUGEN_UART_BASE + kUsartDr));
  if ((status & kUsartSrOre) != 0) {
    console_lost(1);
  }
  if ((status & kUsartSrFe) != 0) {
    console_lost(1);  // no stop bit: wrong baud rate, noise, or a break
  } else if ((status & kUsartSrRxne) != 0) {
    console_received(byte);
  }
}

}  // namespace mcugen
