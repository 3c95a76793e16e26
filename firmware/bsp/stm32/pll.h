// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>

/// Which factors make a PLL's frequency.

namespace mcugen::stm32 {

/// What a PLL can do: input / M goes in, times N is its VCO.
struct PllLimits {
  uint32_t max_m;
  uint32_t min_n;
  uint32_t max_n;
  uint32_t min_input_hz;  ///< of what goes in
  uint32_t max_input_hz;
  uint32_t min_vco_hz;
  uint32_t max_vco_hz;
};

struct PllFactors {
  uint32_t m;  ///< 0: the PLL cannot make it
  uint32_t n;
};

/// @returns the factors with the highest input, which jitters least.
PllFactors pll_factors(const PllLimits& limits, uint32_t input_hz, uint32_t vco_hz);

}  // namespace mcugen::stm32
