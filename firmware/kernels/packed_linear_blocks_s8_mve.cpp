// SPDX-License-Identifier: BSD-3-Clause

#if !defined(__ARM_FEATURE_MVE)
#error "packed_linear_blocks_s8_mve.cpp needs a core with Helium"
#endif

#include <kernels/conv_mve.h>
#include <kernels/packed_linear_blocks_s8.h>

namespace mcugen {

void packed_linear_8x16_s8_mve(const PackedLinearBlocksS8Params& p, const int8_t* input,
                               const int32_t* groups, int8_t* output) {
  MvePackedLinear args;
  args.groups = groups;
  args.in_ch = p.in_ch;
  args.out_ch = p.out_ch;
  args.output_zero_point = p.output_zero_point;
  args.rounding = rounding_mve(p.output_zero_point, p.activation_min, p.activation_max);
  args.activation_min = p.activation_min;
  args.activation_max = p.activation_max;
  for (int32_t b = 0; b < p.batch; ++b) {
    args.input = input + b * p.in_ch;
    args.output = output + b * p.out_ch;
    mve_packed_linear(&args);
  }
}

}  // namespace mcugen
