// SPDX-License-Identifier: BSD-3-Clause

#pragma GCC optimize("O2")

#include <kernels/clamp_s8.h>
#include <kernels/simd_dsp.h>

namespace mcugen {

void clamp_s8_dsp(int32_t count, const int8_t* input, int8_t min, int8_t max, int8_t* output) {
  const uint32_t mins = four_of(min);
  const uint32_t maxs = four_of(max);
  for (int8_t* const end = output + (count & ~3); output != end; input += 4, output += 4) {
    store_four(output, smaller_four(larger_four(load_four(input), mins), maxs));
  }
  clamp_s8_scalar(count & 3, input, min, max, output);
}

}  // namespace mcugen
