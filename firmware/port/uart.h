// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>

/// The console's UART: what a `bsp/` implements and `port/cortex_m/console.cpp` builds on.
/// `board_init()` sets the UART up. After a fault only the two transmit functions are used, with
/// interrupts off.

namespace mcugen {

/// @returns whether `uart_transmit()` would take a byte now. Does not wait.
bool uart_transmit_ready();

/// Hand one byte to the transmitter.
/// @param[in] byte Sent after the bytes before it.
/// Only to be called when `uart_transmit_ready()` has just returned true.
void uart_transmit(uint8_t byte);

/// Receive interrupt. The vector table calls it at position 16 + `MCUGEN_UART_RX_IRQ`. Implemented
/// by the bsp, which hands each byte to `console_received()` and each loss to `console_lost()`.
extern "C" void uart_receive_interrupt();

/// Called by `uart_receive_interrupt()` for every byte, in order.
/// @param[in] byte Stored in the receive ring, or counted as lost when the ring is full.
void console_received(uint8_t byte);

/// Called by `uart_receive_interrupt()` when the hardware reports bytes lost or damaged.
/// @param[in] bytes How many, at least.
void console_lost(uint32_t bytes);

}  // namespace mcugen
