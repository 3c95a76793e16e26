// SPDX-License-Identifier: BSD-3-Clause
//
// Ports with MODER, PUPDR and AFR (RM0390 7.4; the same in F4, F7, H7, L4, G0, G4 and U5).
#include <bsp/stm32/access.h>
#include <bsp/stm32/gpio.h>

#if !defined(MCUGEN_UART_AF)
#error "The board file must define MCUGEN_UART_AF (bsp/stm32/README.md)"
#endif

namespace mcugen::stm32 {
namespace {

constexpr uint32_t kPortBytes = 0x400;
constexpr uintptr_t kModer = 0x00;  // two bits a pin
constexpr uint32_t kModerAlternate = 2;
constexpr uintptr_t kPupdr = 0x0C;  // two bits a pin
constexpr uint32_t kPupdrPullUp = 1;
constexpr uintptr_t kAfrl = 0x20;  // four bits a pin; pins 8 to 15 in the register behind it

void set_field(uintptr_t address, uint32_t index, uint32_t width, uint32_t value) {
  const uint32_t shift = index * width;
  change(address, ((1u << width) - 1) << shift, value << shift);
}

uintptr_t open_port(uint32_t pin) {
  const uint32_t port = pin / 16;
  set_bits(kConsole.gpio_enable, 1u << (kConsole.gpio_a_bit + port));
  read_back(kConsole.gpio_enable);  // RM0390 6.2.13: the clock runs two cycles after it is enabled
  return kConsole.gpio_a + kPortBytes * port;
}

void connect(uintptr_t port, uint32_t pin) {
  set_field(port + kAfrl + pin / 8 % 2 * 4, pin % 8, 4, MCUGEN_UART_AF);
  set_field(port + kModer, pin % 16, 2, kModerAlternate);
}

}  // namespace

void console_pins() {
  connect(open_port(MCUGEN_UART_TX_PIN), MCUGEN_UART_TX_PIN);
  const uintptr_t port = open_port(MCUGEN_UART_RX_PIN);
  // Idle level while no probe drives it.
  set_field(port + kPupdr, MCUGEN_UART_RX_PIN % 16, 2, kPupdrPullUp);
  connect(port, MCUGEN_UART_RX_PIN);
}

}  // namespace mcugen::stm32
