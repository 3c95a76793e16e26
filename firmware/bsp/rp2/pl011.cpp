// SPDX-License-Identifier: BSD-3-Clause
//
// Arm's PrimeCell UART (DDI 0183; RP2040 datasheet 4.2, RP2350 datasheet 12.1), with its FIFOs of
// 32 bytes: the receive interrupt comes at four bytes, or 32 bit times after the last.
#include <bsp/rp2/chip.h>
#include <bsp/rp2/clocks.h>
#include <bsp/rp2/pl011.h>
#include <port/cortex_m/registers.h>
#include <port/uart.h>

namespace mcugen {
namespace {

constexpr uintptr_t kUartDr = MCUGEN_UART_BASE + 0x00;
constexpr uint32_t kUartDrFramingError = 1u << 8;
constexpr uint32_t kUartDrOverrun = 1u << 11;  // bytes were lost before this one
constexpr uintptr_t kUartFr = MCUGEN_UART_BASE + 0x18;
constexpr uint32_t kUartFrRxFifoEmpty = 1u << 4;
constexpr uint32_t kUartFrTxFifoFull = 1u << 5;
constexpr uintptr_t kUartIbrd = MCUGEN_UART_BASE + 0x24;
constexpr uintptr_t kUartFbrd = MCUGEN_UART_BASE + 0x28;
constexpr uintptr_t kUartLcrH = MCUGEN_UART_BASE + 0x2C;
constexpr uint32_t kUartLcrHFifos = 1u << 4;
constexpr uint32_t kUartLcrH8Bits = 3u << 5;
constexpr uintptr_t kUartCr = MCUGEN_UART_BASE + 0x30;
constexpr uint32_t kUartCrUartEnable = 1u << 0;
constexpr uint32_t kUartCrTxEnable = 1u << 8;
constexpr uint32_t kUartCrRxEnable = 1u << 9;
constexpr uintptr_t kUartIfls = MCUGEN_UART_BASE + 0x34;  // 0: one eighth full, both ways
constexpr uintptr_t kUartImsc = MCUGEN_UART_BASE + 0x38;
constexpr uint32_t kUartImscRx = 1u << 4;
constexpr uint32_t kUartImscRxTimeout = 1u << 6;
constexpr uintptr_t kUartIcr = MCUGEN_UART_BASE + 0x44;

// IO_BANK0, 2.19.6.1, 9.11.1: function 2 is UART0 on GPIO 0 and 1. PADS_BANK0, 2.19.6.3, 9.11.3:
// whole words, so that the RP2350's isolation (bit 8) is off, too.
constexpr uint32_t kFunctionUart = 2;
constexpr uint32_t kPadOutput = 1u << 6 | 1u << 4 | 1u << 1;  // input, 4 mA, Schmitt trigger
constexpr uint32_t kPadInput = kPadOutput | 1u << 3;          // and pulled up: idle if not driven
static_assert(MCUGEN_UART_TX_PIN == 0 && MCUGEN_UART_RX_PIN == 1, "UART0's pins are GP0 and GP1");

void connect(uint32_t pin, uint32_t pad) {
  reg32(rp2::kChip.io_bank0 + 8 * pin + 4) = kFunctionUart;
  reg32(rp2::kChip.pads_bank0 + 4 * pin + 4) = pad;
}

}  // namespace

namespace rp2 {

void uart_init(uint32_t baud) {
  leave_reset(kChip.reset_io_bank0 | kChip.reset_pads_bank0);
  reset_anew(kChip.reset_uart0);
  connect(MCUGEN_UART_TX_PIN, kPadOutput);
  connect(MCUGEN_UART_RX_PIN, kPadInput);

  // clk_peri / (16 * baud), in 64ths.
  const uint32_t divider = (g_clock.hz * 4 + baud / 2) / baud;
  reg32(kUartIbrd) = divider / 64;
  reg32(kUartFbrd) = divider % 64;
  reg32(kUartLcrH) =
      kUartLcrH8Bits | kUartLcrHFifos;  // after the divider, which it makes take effect
  reg32(kUartIfls) = 0;
  reg32(kUartImsc) = kUartImscRx | kUartImscRxTimeout;
  reg32(kUartCr) = kUartCrUartEnable | kUartCrTxEnable | kUartCrRxEnable;
  nvic_enable(MCUGEN_UART_RX_IRQ);
}

}  // namespace rp2

bool uart_transmit_ready() { return (reg32(kUartFr) & kUartFrTxFifoFull) == 0; }

void uart_transmit(uint8_t byte) { reg32(kUartDr) = byte; }

extern "C" void uart_receive_interrupt() {
  reg32(kUartIcr) = kUartImscRx | kUartImscRxTimeout;
  while ((reg32(kUartFr) & kUartFrRxFifoEmpty) == 0) {
    const uint32_t data = reg32(kUartDr);
    if ((data & kUartDrOverrun) != 0) {
      console_lost(1);
    }
    if ((data & kUartDrFramingError) != 0) {
      console_lost(1);  // no stop bit: wrong baud rate, noise, or a break
    } else {
      console_received(static_cast<uint8_t>(data));
    }
  }
}

}  // namespace mcugen
