// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <port/board.h>

#include <cstddef>
#include <cstdint>

/// What all STM32 families share, and what each of them defines for it.

#if !defined(MCUGEN_UART_BASE) || !defined(MCUGEN_UART_RX_IRQ) || !defined(MCUGEN_UART_TX_PIN) || \
    !defined(MCUGEN_UART_RX_PIN)
#error "The board file must define the macros listed in bsp/stm32/README.md"
#endif

namespace mcugen::stm32 {

enum Bus : uint8_t { kApb1, kApb2, kApb3, kNumBuses };

/// The clocks as they are. Kept right at every step, so that a wait and a baud rate are, too.
struct Clock {
  uint32_t core_hz;            ///< SYSCLK, HCLK
  uint32_t bus_hz[kNumBuses];  ///< PCLK1, PCLK2, PCLK3
  ClockSource source;
  uint32_t reset_flags;  ///< as the reset status register had them at boot
};
extern Clock g_clock;

/// Set core and buses of `g_clock` to one clock, as after a reset.
void all_clocks(uint32_t hz, ClockSource source);

/// A USART that may be the console.
struct Uart {
  uintptr_t base;
  uintptr_t enable;  ///< RCC register that enables its clock
  uint32_t enable_bit;
  Bus bus;                 ///< whose clock it divides
  bool low_power = false;  ///< an LPUART: divides 256 times the clock
};

/// @returns the one at MCUGEN_UART_BASE; base 0: none of them is.
template <size_t n>
constexpr Uart console_uart(const Uart (&uarts)[n]) {
  for (const Uart& uart : uarts) {
    if (uart.base == MCUGEN_UART_BASE) {
      return uart;
    }
  }
  return {};
}

// ---- Defined by the family ----

/// Registers that the console needs.
struct Console {
  Uart uart;
  uintptr_t gpio_a;       ///< port A; the others follow, 0x400 bytes each
  uintptr_t gpio_enable;  ///< RCC register that enables their clocks
  uint32_t gpio_a_bit;    ///< position of port A there; the others follow
};
extern const Console kConsole;

/// Bits of the reset status register; 0: the family does not tell.
struct ResetBits {
  uint32_t watchdog;
  uint32_t software;
  uint32_t low_power;
  uint32_t power;
  uint32_t brown_out;
  uint32_t pin;
};
extern const ResetBits kResetBits;

/// Bring the core to `kBoardConfig.clock_hz` if the hardware lets us; else leave it at the best
/// clock that works. Sets `g_clock`. Every wait is bounded.
void clock_init();

/// Make flash ready for a core clock, caches and prefetch on.
/// @returns whether the flash took the wait states: if not, the clock must not go up.
bool set_flash_wait_states(uint32_t clock_hz);

/// @returns what flash and caches are set to, from their registers.
FlashSetup flash_setup();

// ---- Defined by gpio.cpp, or by a family whose ports are otherwise ----

/// Give the console's two pins to its USART.
void console_pins();

// ---- Defined by usart_sr.cpp or usart_isr.cpp, by which of their headers the family includes ----

/// Set up the console's USART as 8N1 with receive interrupt. After `clock_init()`.
/// @param[in] baud At most a sixteenth of the bus clock.
void uart_init(uint32_t baud);

}  // namespace mcugen::stm32
