// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <app/text_writer.h>

namespace mcugen {

/// @returns the writer whose text goes to the console.
TextWriter& console_writer();

}  // namespace mcugen
