// SPDX-License-Identifier: BSD-3-Clause
#include <kernels/elementwise_s8.h>

namespace mcugen {

void lookup_s8_scalar(int32_t count, const int8_t* input, const int8_t* table, int8_t* output) {
  for (; count > 0; --count) {
    *output++ = table[*input++ + 128];
  }
}

}  // namespace mcugen
