// SPDX-License-Identifier: BSD-3-Clause

#pragma GCC optimize("O2")

#include <kernels/limit.h>

namespace mcugen {
namespace {

struct Smaller {
  template <typename T>
  static T pick(T a, T b) {
    return a < b || a != a ? a : b;  // a != a: NaN, never true for integers
  }
};

struct Larger {
  template <typename T>
  static T pick(T a, T b) {
    return a > b || a != a ? a : b;
  }
};

template <typename Choice, typename T>
void choose(int32_t count, const T* a, int32_t a_step, const T* b, int32_t b_step, T* output) {
  for (; count > 0; --count, a += a_step, b += b_step) {
    *output++ = Choice::pick(*a, *b);
  }
}

}  // namespace

void minimum_s8_scalar(int32_t count, const int8_t* a, int32_t a_step, const int8_t* b,
                       int32_t b_step, int8_t* output) {
  choose<Smaller>(count, a, a_step, b, b_step, output);
}

void minimum_s32_scalar(int32_t count, const int32_t* a, int32_t a_step, const int32_t* b,
                        int32_t b_step, int32_t* output) {
  choose<Smaller>(count, a, a_step, b, b_step, output);
}

void minimum_f32_scalar(int32_t count, const float* a, int32_t a_step, const float* b,
                        int32_t b_step, float* output) {
  choose<Smaller>(count, a, a_step, b, b_step, output);
}

void maximum_s8_scalar(int32_t count, const int8_t* a, int32_t a_step, const int8_t* b,
                       int32_t b_step, int8_t* output) {
  choose<Larger>(count, a, a_step, b, b_step, output);
}

void maximum_s32_scalar(int32_t count, const int32_t* a, int32_t a_step, const int32_t* b,
                        int32_t b_step, int32_t* output) {
  choose<Larger>(count, a, a_step, b, b_step, output);
}

void maximum_f32_scalar(int32_t count, const float* a, int32_t a_step, const float* b,
                        int32_t b_step, float* output) {
  choose<Larger>(count, a, a_step, b, b_step, output);
}

}  // namespace mcugen
