// SPDX-License-Identifier: BSD-3-Clause

#if !defined(__ARM_FEATURE_MVE)
#error "pad_s8_mve.cpp needs a core with Helium"
#endif

#include <kernels/loops_mve.h>
#include <kernels/pad_s8.h>

namespace mcugen {
namespace {

/// One dimension, or several of which only the outermost is padded.
struct Axis {
  int32_t in_size;        // what is copied, or walked through
  int32_t before, after;  // what is added, in bytes
};

/// Pads dimension `axis` and those inside it; moves both pointers behind what was done.
void pad_axis(const Axis* axis, int32_t inside, int32_t value, const int8_t*& input,
              int8_t*& output) {
  mve_fill(output, axis->before, value);
  output += axis->before;
  if (inside == 0) {
    mve_copy(output, input, axis->in_size);
    input += axis->in_size;
    output += axis->in_size;
  } else {
    for (int32_t i = 0; i < axis->in_size; ++i) {
      pad_axis(axis + 1, inside - 1, value, input, output);
    }
  }
  mve_fill(output, axis->after, value);
  output += axis->after;
}

}  // namespace

void pad_s8_mve(const PadS8Params& p, const int8_t* input, int8_t* output) {
  // From the innermost dimension outwards; what lies inside of one without padding is one run.
  Axis axes[4];
  int32_t first = 4;
  int32_t each = 1;
  bool run = true;
  for (int32_t d = 3; d >= 0; --d) {
    const bool plain = p.pre[d] == 0 && p.post[d] == 0;
    if (first < 4 && run) {
      Axis& inner = axes[first];
      inner.in_size *= p.in_size[d];
      inner.before = p.pre[d] * each;
      inner.after = p.post[d] * each;
    } else {
      axes[--first] = {p.in_size[d], p.pre[d] * each, p.post[d] * each};
    }
    each *= p.pre[d] + p.in_size[d] + p.post[d];
    run = run && plain;
  }
  pad_axis(axes + first, 3 - first, p.value, input, output);
}

}  // namespace mcugen
