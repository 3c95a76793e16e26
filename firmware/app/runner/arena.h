// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <executorch/runtime/core/span.h>

#include <cstdint>

namespace mcugen {

/// @returns all memory that the generic image has for a model, 16-byte aligned. Defined by the
///     generated `app_config.cpp`, from the linker script's symbols.
executorch::runtime::Span<uint8_t> arena();

}  // namespace mcugen
