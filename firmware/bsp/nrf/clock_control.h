// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <port/board.h>

#include <cstdint>

namespace mcugen::nrf {

/// Let the core's clock come from the crystal: HFXO. The core runs from HFINT until then, and on
/// if HFXO does not start; its frequency is the same, to within HFINT's tolerance.
/// @param[in] core_hz The core's clock.
/// @returns `kPll` or `kHfint`.
ClockSource start_hfxo(uint32_t core_hz);

/// Read RESETREAS and clear it: its bits stay until they are written as 1.
/// @returns what it held.
uint32_t take_reset_reasons();

}  // namespace mcugen::nrf
