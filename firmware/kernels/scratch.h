// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>

namespace mcugen {

/// Working memory that the caller of a kernel lends it for one call. What it holds before does not
/// matter, and what it holds afterwards means nothing. How much there is decides how fast a kernel
/// is, never what it computes: with none, it takes the scalar form.
struct Scratch {
  uint8_t* data = nullptr;  ///< 8-byte aligned
  uint32_t bytes = 0;
};

}  // namespace mcugen
