// SPDX-License-Identifier: BSD-3-Clause
#include <kernels/pad_s8.h>

#include <cstring>

namespace mcugen {
namespace {

/// Pads dimension `axis` and those inside it; moves both pointers behind what was done.
void pad_axis(const PadS8Params& p, int32_t axis, const int8_t*& input, int8_t*& output) {
  size_t inside = 1;  // output elements per step along this axis
  for (int32_t d = axis + 1; d < 4; ++d) {
    inside *= static_cast<size_t>(p.pre[d] + p.in_size[d] + p.post[d]);
  }
  const size_t before = inside * static_cast<size_t>(p.pre[axis]);
  const size_t after = inside * static_cast<size_t>(p.post[axis]);
  memset(output, p.value, before);
  output += before;
  if (axis == 3) {
    memcpy(output, input, static_cast<size_t>(p.in_size[3]));
    input += p.in_size[3];
    output += p.in_size[3];
  } else {
    for (int32_t i = 0; i < p.in_size[axis]; ++i) {
      pad_axis(p, axis + 1, input, output);
    }
  }
  memset(output, p.value, after);
  output += after;
}

}  // namespace

void pad_s8_scalar(const PadS8Params& p, const int8_t* input, int8_t* output) {
  pad_axis(p, 0, input, output);
}

}  // namespace mcugen
