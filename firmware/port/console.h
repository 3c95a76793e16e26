// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <cstdint>

/// The serial console. Receiving is interrupt-driven into a ring, so that a burst that arrives
/// while an inference runs is kept; transmitting polls, with a bound.

namespace mcugen {

/// Bytes the receive ring holds: one long command and more. The ring is drained while a frame
/// arrives; it only fills when the host talks during an inference, which the protocol does not.
constexpr size_t kConsoleRingBytes = 128;

/// Take the oldest received byte.
/// @param[out] byte Set only when there is one.
/// @returns false when nothing is waiting. Does not wait.
bool console_read(uint8_t* byte);

/// Sleep until something may have happened: a byte received, or the tick of the cycle counter (at
/// most 2^21 core clocks). Returns at once when a byte is waiting.
void console_wait();

/// @returns received bytes lost since the last call (ring full, overrun, framing error), and sets
///     the count to 0.
uint32_t console_take_lost();

/// Send one byte. Waits for the transmitter, about 50 ms at most; then the byte is dropped, and
/// following bytes are dropped without waiting until the transmitter is ready again.
/// @param[in] byte The byte.
void console_write(uint8_t byte);

/// Send bytes, as `console_write(uint8_t)` for each.
/// @param[in] data `bytes` bytes.
/// @param[in] bytes May be 0.
void console_write(const uint8_t* data, size_t bytes);

}  // namespace mcugen
