// SPDX-License-Identifier: BSD-3-Clause

#pragma GCC optimize("O2")

#include <kernels/gather.h>

#include <cstring>

namespace mcugen {
namespace {

template <typename T>
void pick(int32_t count, const void* input, int32_t step, void* output, int32_t out_step) {
  const T* in = static_cast<const T*>(input);
  T* out = static_cast<T*>(output);
  for (; count >= 4; count -= 4, in += 4 * step, out += 4 * out_step) {
    const T values[] = {in[0], in[step], in[2 * step], in[3 * step]};
    out[0] = values[0];
    out[out_step] = values[1];
    out[2 * out_step] = values[2];
    out[3 * out_step] = values[3];
  }
  for (; count > 0; --count, in += step, out += out_step) {
    *out = *in;
  }
}

}  // namespace

void gather_scalar(int32_t element_bytes, int32_t count, const void* input, int32_t step,
                   void* output) {
  if (step == 1) {
    memmove(output, input, static_cast<size_t>(count) * static_cast<size_t>(element_bytes));
    return;
  }
  strided_copy_scalar(element_bytes, count, input, step, output, 1);
}

void strided_copy_scalar(int32_t element_bytes, int32_t count, const void* input, int32_t step,
                         void* output, int32_t out_step) {
  switch (element_bytes) {
    case 1:
      return pick<uint8_t>(count, input, step, output, out_step);
    case 2:
      return pick<uint16_t>(count, input, step, output, out_step);
    case 4:
      return pick<uint32_t>(count, input, step, output, out_step);
    default:
      return pick<uint64_t>(count, input, step, output, out_step);
  }
}

}  // namespace mcugen
