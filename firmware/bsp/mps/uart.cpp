// SPDX-License-Identifier: BSD-3-Clause
//
// CMSDK APB UART (Arm DDI 0479, section 4.3): one byte of buffer each way.
#include <bsp/mps/uart.h>
#include <port/cortex_m/registers.h>
#include <port/uart.h>

#if !defined(MCUGEN_UART_BASE) || !defined(MCUGEN_UART_RX_IRQ) || !defined(MCUGEN_UART_CLOCK_HZ)
#error "The board file must define the macros listed in bsp/mps/README.md"
#endif

namespace mcugen {
namespace {

constexpr uintptr_t kData = MCUGEN_UART_BASE + 0x00;
constexpr uintptr_t kState = MCUGEN_UART_BASE + 0x04;
constexpr uint32_t kStateTxFull = 1u << 0;
constexpr uint32_t kStateRxFull = 1u << 1;
constexpr uint32_t kStateRxOverrun = 1u << 3;
constexpr uintptr_t kCtrl = MCUGEN_UART_BASE + 0x08;
constexpr uint32_t kCtrlTxEnable = 1u << 0;
constexpr uint32_t kCtrlRxEnable = 1u << 1;
constexpr uint32_t kCtrlRxInterrupt = 1u << 3;
constexpr uintptr_t kIntClear = MCUGEN_UART_BASE + 0x0C;
constexpr uint32_t kIntRx = 1u << 1;
constexpr uintptr_t kBaudDiv = MCUGEN_UART_BASE + 0x10;
constexpr uint32_t kBaudDivMin = 16;

}  // namespace

namespace mps {

void uart_init(uint32_t baud) {
  const uint32_t divider = (MCUGEN_UART_CLOCK_HZ + baud / 2) / baud;
  reg32(kBaudDiv) = divider < kBaudDivMin ? kBaudDivMin : divider;
  reg32(kCtrl) = kCtrlTxEnable | kCtrlRxEnable | kCtrlRxInterrupt;
  nvic_enable(MCUGEN_UART_RX_IRQ);
}

}  // namespace mps

bool uart_transmit_ready() { return (reg32(kState) & kStateTxFull) == 0; }

void uart_transmit(uint8_t byte) { reg32(kData) = byte; }

extern "C" void uart_receive_interrupt() {
  // Cleared before the byte is taken: the next one then raises it again.
  reg32(kIntClear) = kIntRx;
  const uint32_t state = reg32(kState);
  if ((state & kStateRxFull) != 0) {
    console_received(static_cast<uint8_t>(reg32(kData)));
  }
  if ((state & kStateRxOverrun) != 0) {
    reg32(kState) = kStateRxOverrun;  // write one to clear
    console_lost(1);
  }
}

}  // namespace mcugen
