// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>

/// Text commands, each a line that ends in '%'.

namespace mcugen {

/// Take one received byte of text; runs the command that it completes.
void commands_feed(uint8_t byte);

/// Drop what has come of a command: a frame begins.
void commands_reset();

/// Drop what `db` has announced: it was for the input of another model.
void commands_forget_input();

/// Tell the time: a benchmark's host measures by these lines.
void lap();

}  // namespace mcugen
