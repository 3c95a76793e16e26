// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>

/// Frames: binary commands, each answered by one frame.

namespace mcugen {

/// A frame begins: its first zero byte has come.
void frames_start();

/// Take one received byte of a frame; answers the frame that it completes.
void frames_feed(uint8_t byte);

/// @returns whether a frame has begun and not ended.
bool frames_active();

/// Drop what has come of a frame.
void frames_abort();

}  // namespace mcugen
