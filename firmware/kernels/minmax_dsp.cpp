// SPDX-License-Identifier: BSD-3-Clause

#pragma GCC optimize("O2")

#include <kernels/limit.h>
#include <kernels/simd_dsp.h>

#include <utility>

namespace mcugen {
namespace {

/// Four elements at a time. The order of a and b does not matter.
/// @tparam rest Does what is left. Both are template arguments for the calls to be direct: what the
///     stack needs is read from those.
template <auto choose, auto rest>
inline void by_fours(int32_t count, const int8_t* a, int32_t a_step, const int8_t* b,
                     int32_t b_step, int8_t* output) {
  if (a_step == 0) {
    std::swap(a, b);
    std::swap(a_step, b_step);
  }
  if (a_step == 1 && (b_step & ~1) == 0) {
    int8_t* const end = output + (count & ~3);
    if (b_step == 0) {
      const uint32_t value = four_of(*b);
      for (; output != end; a += 4, output += 4) {
        store_four(output, choose(load_four(a), value));
      }
    } else {
      for (; output != end; a += 4, b += 4, output += 4) {
        store_four(output, choose(load_four(a), load_four(b)));
      }
    }
    count &= 3;
  }
  rest(count, a, a_step, b, b_step, output);
}

}  // namespace

void minimum_s8_dsp(int32_t count, const int8_t* a, int32_t a_step, const int8_t* b, int32_t b_step,
                    int8_t* output) {
  by_fours<smaller_four, minimum_s8_scalar>(count, a, a_step, b, b_step, output);
}

void maximum_s8_dsp(int32_t count, const int8_t* a, int32_t a_step, const int8_t* b, int32_t b_step,
                    int8_t* output) {
  by_fours<larger_four, maximum_s8_scalar>(count, a, a_step, b, b_step, output);
}

}  // namespace mcugen
