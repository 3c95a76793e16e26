// SPDX-License-Identifier: BSD-3-Clause
#include <kernels/gather.h>

#include <cstring>

namespace mcugen {
namespace {

template <typename T>
void pick(int32_t count, const void* input, int32_t step, void* output) {
  const T* in = static_cast<const T*>(input);
  T* out = static_cast<T*>(output);
  for (; count > 0; --count, in += step) {
    *out++ = *in;
  }
}

}  // namespace

void gather_scalar(int32_t element_bytes, int32_t count, const void* input, int32_t step,
                   void* output) {
  if (step == 1) {
    memmove(output, input, static_cast<size_t>(count) * static_cast<size_t>(element_bytes));
    return;
  }
  switch (element_bytes) {
    case 1:
      return pick<uint8_t>(count, input, step, output);
    case 2:
      return pick<uint16_t>(count, input, step, output);
    case 4:
      return pick<uint32_t>(count, input, step, output);
    default:
      return pick<uint64_t>(count, input, step, output);
  }
}

}  // namespace mcugen
