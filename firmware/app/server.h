// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>

/// The serial command server: docs/protocol.md.

namespace mcugen {

/// Send the boot banner, then serve for ever.
[[noreturn]] void server_run();

/// Send the boot banner.
void server_start();

/// Take one received byte; handles the command or frame that it completes.
void server_feed(uint8_t byte);

/// To be called while nothing is received: ends a frame that has fallen silent.
void server_idle();

}  // namespace mcugen
