// SPDX-License-Identifier: BSD-3-Clause
#include <bsp/stm32/pll.h>

namespace mcugen::stm32 {

PllFactors pll_factors(const PllLimits& limits, uint32_t input_hz, uint32_t vco_hz) {
  if (vco_hz < limits.min_vco_hz || vco_hz > limits.max_vco_hz) {
    return {0, 0};
  }
  for (uint32_t m = 1; m <= limits.max_m; ++m) {
    const uint32_t reference_hz = input_hz / m;
    if (input_hz % m != 0 || reference_hz > limits.max_input_hz) {
      continue;
    }
    if (reference_hz < limits.min_input_hz) {
      break;
    }
    const uint32_t n = vco_hz / reference_hz;
    if (vco_hz % reference_hz == 0 && n >= limits.min_n && n <= limits.max_n) {
      return {m, n};
    }
  }
  return {0, 0};
}

}  // namespace mcugen::stm32
