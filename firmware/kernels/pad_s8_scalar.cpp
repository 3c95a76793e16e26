// SPDX-License-Identifier: BSD-3-Clause
#include <kernels/pad_s8.h>

#include <cstring>

namespace mcugen {
namespace {

/// Pads dimension `axis` and those inside it; moves both pointers behind what was done.
/// @param[in] last The innermost dimension that is padded.
void pad_axis(const PadS8Params& p, int32_t axis, int32_t last, const int8_t*& input,
              int8_t*& output) {
  size_t inside = 1;  // output elements per step along this axis
  for (int32_t d = axis + 1; d < 4; ++d) {
    inside *= static_cast<size_t>(p.pre[d] + p.in_size[d] + p.post[d]);
  }
  const size_t before = inside * static_cast<size_t>(p.pre[axis]);
  const size_t after = inside * static_cast<size_t>(p.post[axis]);
  memset(output, p.value, before);
  output += before;
  if (axis == last) {
    const size_t run = inside * static_cast<size_t>(p.in_size[axis]);
    memcpy(output, input, run);
    input += run;
    output += run;
  } else {
    for (int32_t i = 0; i < p.in_size[axis]; ++i) {
      pad_axis(p, axis + 1, last, input, output);
    }
  }
  memset(output, p.value, after);
  output += after;
}

}  // namespace

void pad_s8_scalar(const PadS8Params& p, const int8_t* input, int8_t* output) {
  int32_t last = 3;
  while (last > 0 && p.pre[last] == 0 && p.post[last] == 0) {
    --last;
  }
  pad_axis(p, 0, last, input, output);
}

}  // namespace mcugen
