// SPDX-License-Identifier: BSD-3-Clause

#if !defined(__ARM_FEATURE_MVE)
#error "minmax_mve.cpp needs a core with Helium"
#endif

#pragma GCC optimize("O2")

#include <arm_mve.h>
#include <kernels/limit.h>

#include <utility>

namespace mcugen {
namespace {

/// Sixteen elements at a time. The order of a and b does not matter.
/// @param[in] rest Does what has other steps.
template <typename Choose, typename Rest>
inline void by_sixteens(Choose choose, Rest rest, int32_t count, const int8_t* a, int32_t a_step,
                        const int8_t* b, int32_t b_step, int8_t* output) {
  if (a_step == 0) {
    std::swap(a, b);
    std::swap(a_step, b_step);
  }
  if (a_step != 1 || (b_step & ~1) != 0) {
    rest(count, a, a_step, b, b_step, output);
    return;
  }
  int8x16_t other = vdupq_n_s8(*b);
  for (; count > 0; count -= 16, a += 16, output += 16) {
    const mve_pred16_t some = vctp8q(static_cast<uint32_t>(count));
    if (b_step != 0) {
      other = vldrbq_z_s8(b, some);
      b += 16;
    }
    vstrbq_p_s8(output, choose(vldrbq_z_s8(a, some), other), some);
  }
}

}  // namespace

void minimum_s8_mve(int32_t count, const int8_t* a, int32_t a_step, const int8_t* b, int32_t b_step,
                    int8_t* output) {
  const auto smaller = [](int8x16_t x, int8x16_t y) { return vminq_s8(x, y); };
  by_sixteens(smaller, minimum_s8_scalar, count, a, a_step, b, b_step, output);
}

void maximum_s8_mve(int32_t count, const int8_t* a, int32_t a_step, const int8_t* b, int32_t b_step,
                    int8_t* output) {
  const auto larger = [](int8x16_t x, int8x16_t y) { return vmaxq_s8(x, y); };
  by_sixteens(larger, maximum_s8_scalar, count, a, a_step, b, b_step, output);
}

}  // namespace mcugen
