// SPDX-License-Identifier: BSD-3-Clause
#include <kernels/sum.h>

namespace mcugen {
uint32_t sum(const uint8_t* data, size_t size) {
  uint32_t total = 0;
  for (size_t i = 0; i < size; ++i) total = total * 31 + data[i];
  return total;
}
}  // namespace mcugen
