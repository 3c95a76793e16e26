// SPDX-License-Identifier: BSD-3-Clause

#pragma GCC optimize("O2")

#include <kernels/elementwise_s8.h>

namespace mcugen {

void lookup_s8_scalar(int32_t count, const int8_t* input, const int8_t* table, int8_t* output) {
  table += 128;
  for (; count >= 4; count -= 4, input += 4, output += 4) {
    const int32_t first = input[0], second = input[1], third = input[2], fourth = input[3];
    output[0] = table[first];
    output[1] = table[second];
    output[2] = table[third];
    output[3] = table[fourth];
  }
  for (; count > 0; --count) {
    *output++ = table[*input++];
  }
}

}  // namespace mcugen
