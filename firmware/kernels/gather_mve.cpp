// SPDX-License-Identifier: BSD-3-Clause

#if !defined(__ARM_FEATURE_MVE)
#error "gather_mve.cpp needs a core with Helium"
#endif

#include <kernels/gather.h>
#include <kernels/loops_mve.h>

namespace mcugen {

void gather_mve(int32_t element_bytes, int32_t count, const void* input, int32_t step,
                void* output) {
  const int8_t* const in = static_cast<const int8_t*>(input);
  int8_t* const out = static_cast<int8_t*>(output);
  const int32_t bytes = count * element_bytes;
  if (step == 1 && (out <= in || in + bytes <= out)) {
    mve_copy(out, in, bytes);
  } else {
    gather_scalar(element_bytes, count, input, step, output);
  }
}

}  // namespace mcugen
