// SPDX-License-Identifier: BSD-3-Clause
//
// UARTE of nRF52840 (PS v1.7 6.34) and nRF5340 (PS v1.5 7.37). It moves bytes by EasyDMA alone, so
// each direction has a buffer, of one byte: the receiver interrupts for each. Bytes that come in
// before it is started again wait in its FIFO.
#include <bsp/nrf/chip.h>
#include <bsp/nrf/uarte.h>
#include <port/cortex_m/registers.h>
#include <port/uart.h>

namespace mcugen {
namespace {

constexpr uintptr_t kUarteTasksStartRx = MCUGEN_UART_BASE + 0x000;
constexpr uintptr_t kUarteTasksStartTx = MCUGEN_UART_BASE + 0x008;
constexpr uintptr_t kUarteEventsEndRx = MCUGEN_UART_BASE + 0x110;
constexpr uintptr_t kUarteEventsEndTx = MCUGEN_UART_BASE + 0x120;
constexpr uintptr_t kUarteEventsError = MCUGEN_UART_BASE + 0x124;
constexpr uintptr_t kUarteShorts = MCUGEN_UART_BASE + 0x200;
constexpr uintptr_t kUarteInten = MCUGEN_UART_BASE + 0x300;
constexpr uint32_t kUarteIntenEndRx = 1u << 4;
constexpr uint32_t kUarteIntenError = 1u << 9;
constexpr uintptr_t kUarteErrorSrc = MCUGEN_UART_BASE + 0x480;
constexpr uint32_t kUarteErrorSrcOverrun = 1u << 0;
constexpr uintptr_t kUarteEnable = MCUGEN_UART_BASE + 0x500;
constexpr uint32_t kUarteEnableEnabled = 8;
constexpr uintptr_t kUartePselRts = MCUGEN_UART_BASE + 0x508;
constexpr uintptr_t kUartePselTxd = MCUGEN_UART_BASE + 0x50C;
constexpr uintptr_t kUartePselCts = MCUGEN_UART_BASE + 0x510;
constexpr uintptr_t kUartePselRxd = MCUGEN_UART_BASE + 0x514;
constexpr uint32_t kUartePselDisconnected = 1u << 31;  // else port * 32 + pin
constexpr uintptr_t kUarteBaudRate = MCUGEN_UART_BASE + 0x524;
constexpr uintptr_t kUarteRxdPtr = MCUGEN_UART_BASE + 0x534;
constexpr uintptr_t kUarteRxdMaxCnt = MCUGEN_UART_BASE + 0x538;
constexpr uintptr_t kUarteTxdPtr = MCUGEN_UART_BASE + 0x544;
constexpr uintptr_t kUarteTxdMaxCnt = MCUGEN_UART_BASE + 0x548;
constexpr uintptr_t kUarteConfig = MCUGEN_UART_BASE + 0x56C;

// GPIO, nRF52840 PS 6.9.2, nRF5340 PS 7.15.2
constexpr uint32_t kPortBytes = 0x300;
constexpr uintptr_t kGpioOutSet = 0x508;
constexpr uintptr_t kGpioPinCnf = 0x700;                   // four bytes a pin
constexpr uint32_t kGpioPinCnfOutput = 1u << 0 | 1u << 1;  // input buffer disconnected
constexpr uint32_t kGpioPinCnfInputPullUp = 3u << 2;       // idle level while nothing drives it

volatile uint8_t g_received;
volatile uint8_t g_sent;
bool g_sending;

uint32_t address_of(const volatile uint8_t& byte) {
  return static_cast<uint32_t>(reinterpret_cast<uintptr_t>(&byte));
}

void set_pin(uint32_t pin, uint32_t cnf) {
  const uintptr_t port = nrf::kChip.gpio + kPortBytes * (pin / 32);
  reg32(port + kGpioOutSet) = 1u << (pin % 32);  // what TXD's level is whenever the UARTE is off
  reg32(port + kGpioPinCnf + 4 * (pin % 32)) = cnf;
}

// BAUDRATE is the baud rate in steps of 16 MHz / 2^32, of which not all bits count. For these rates
// the product specifications have another value than that (0x01D60000 makes 115,108 baud).
constexpr struct {
  uint32_t baud;
  uint32_t value;
} kBaudRates[] = {
    {115200, 0x01D60000},
    {230400, 0x03B00000},
    {460800, 0x07400000},
    {921600, 0x0F000000},
};

uint32_t baud_rate(uint32_t baud) {
  for (const auto& rate : kBaudRates) {
    if (rate.baud == baud) {
      return rate.value;
    }
  }
  return (baud * 268 + baud / 1000 * 435) & 0xFFFFF000;  // 2^32 / 16,000,000 is 268.435
}

}  // namespace

namespace nrf {

void uart_init(uint32_t baud) {
  reg32(kUarteEnable) = 0;  // a boot loader may have used it
  set_pin(MCUGEN_UART_TX_PIN, kGpioPinCnfOutput);
  set_pin(MCUGEN_UART_RX_PIN, kGpioPinCnfInputPullUp);
  reg32(kUartePselTxd) = MCUGEN_UART_TX_PIN;
  reg32(kUartePselRxd) = MCUGEN_UART_RX_PIN;
  reg32(kUartePselRts) = kUartePselDisconnected;
  reg32(kUartePselCts) = kUartePselDisconnected;
  reg32(kUarteBaudRate) = baud_rate(baud);
  reg32(kUarteConfig) = 0;  // no flow control, no parity, one stop bit
  reg32(kUarteShorts) = 0;
  reg32(kUarteInten) = kUarteIntenEndRx | kUarteIntenError;
  reg32(kUarteEventsEndRx) = 0;
  reg32(kUarteEventsError) = 0;
  reg32(kUarteEnable) = kUarteEnableEnabled;
  reg32(kUarteRxdPtr) = address_of(g_received);
  reg32(kUarteRxdMaxCnt) = 1;
  reg32(kUarteTxdPtr) = address_of(g_sent);
  reg32(kUarteTxdMaxCnt) = 1;
  reg32(kUarteTasksStartRx) = 1;
  nvic_enable(MCUGEN_UART_RX_IRQ);
}

}  // namespace nrf

bool uart_transmit_ready() { return !g_sending || reg32(kUarteEventsEndTx) != 0; }

void uart_transmit(uint8_t byte) {
  g_sent = byte;
  g_sending = true;
  reg32(kUarteEventsEndTx) = 0;
  __asm volatile("dsb" ::: "memory");  // EasyDMA reads what memory holds
  reg32(kUarteTasksStartTx) = 1;
}

extern "C" void uart_receive_interrupt() {
  uint32_t errors = 0;
  if (reg32(kUarteEventsError) != 0) {
    reg32(kUarteEventsError) = 0;
    errors = reg32(kUarteErrorSrc);
    reg32(kUarteErrorSrc) = errors;  // cleared by writing 1
    console_lost(1);
  }
  if (reg32(kUarteEventsEndRx) != 0) {
    reg32(kUarteEventsEndRx) = 0;
    const uint8_t byte = g_received;
    reg32(kUarteTasksStartRx) = 1;
    // Without a stop bit (wrong baud rate, noise, a break) the byte is none.
    if ((errors & ~kUarteErrorSrcOverrun) == 0) {
      console_received(byte);
    }
  }
  read_back(kUarteEventsEndRx);  // or the event may still be up when the handler has returned
}

}  // namespace mcugen
