// SPDX-License-Identifier: BSD-3-Clause
#include <bsp/stm32/access.h>
#include <bsp/stm32/usart_sr.h>
#include <bsp/stm32f1/registers.h>

namespace mcugen::stm32 {
namespace {

using namespace stm32f1;

constexpr Uart kUarts[] = {
    {kUsart1, kRccApb2Enr, kRccApb2EnrUsart1, kApb2},
    {kUsart2, kRccApb1Enr, kRccApb1EnrUsart2, kApb1},
    {kUsart3, kRccApb1Enr, kRccApb1EnrUsart3, kApb1},
};
static_assert(console_uart(kUarts).base != 0, "MCUGEN_UART_BASE must be one of these");

constexpr uint32_t kAlternatePushPull2Mhz = 0xA;  // MODE 2, CNF 2 (RM0008 table 20)
constexpr uint32_t kInputPulled = 0x8;            // MODE 0, CNF 2; up where ODR is 1

void set_mode(uint32_t pin, uint32_t mode) {
  const uintptr_t port = kGpioA + 0x400 * (pin / 16);
  set_bits(kRccApb2Enr, kRccApb2EnrIopA << (pin / 16));
  read_back(kRccApb2Enr);
  if (mode == kInputPulled) {
    reg32(port + kGpioBsrr) = 1u << (pin % 16);
  }
  const uint32_t shift = pin % 8 * 4;
  change(port + (pin % 16 < 8 ? kGpioCrl : kGpioCrh), 0xFu << shift, mode << shift);
}

}  // namespace

const Console kConsole = {console_uart(kUarts), kGpioA, kRccApb2Enr, 2};

// Where the pins are after a reset: USART1 PA9 and PA10, USART2 PA2 and PA3, USART3 PB10 and PB11.
void console_pins() {
  set_mode(MCUGEN_UART_TX_PIN, kAlternatePushPull2Mhz);
  set_mode(MCUGEN_UART_RX_PIN, kInputPulled);  // idle level while no probe drives it
}

}  // namespace mcugen::stm32
