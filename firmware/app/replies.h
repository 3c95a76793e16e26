// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>

/// The lines that answer text commands, each with its CR LF.

namespace mcugen {

void line(const char* text);
void line(const char* prefix, uint64_t number);

/// `before` and the text between brackets: most replies.
void line(const char* before, const char* inside);

/// e-[`what``detail`]
void error(const char* what, const char* detail = "");

}  // namespace mcugen
