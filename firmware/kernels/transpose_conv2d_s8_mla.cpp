// SPDX-License-Identifier: BSD-3-Clause

#pragma GCC optimize("O2")

#include <kernels/loops_mla.h>
#include <kernels/transpose_conv2d_s8_rows.h>

namespace mcugen {
namespace {

struct Loops {
  void four_rows(const int8_t* input, const int8_t* weights, int32_t* sums) const {
    mcugen_mla_four_rows(input, weights, row_step, static_cast<uint32_t>(in_ch) / 4, zero_point,
                         sums);
    add_last_channels(input, weights, in_ch, row_step, zero_point, sums);
  }

  int32_t one_row(const int8_t* input, const int8_t* weights, int32_t sum) const {
    for (const int8_t* const end = input + in_ch; input != end; ++input, ++weights) {
      sum = wrapping_add(sum, (*input - zero_point) * *weights);
    }
    return sum;
  }

  int32_t in_ch, row_step;
  int32_t zero_point;
};

}  // namespace

void transpose_conv2d_s8_mla(const Conv2dS8Params& p, const int8_t* input, const int8_t* weights,
                             const int32_t* bias, int8_t* output) {
  if (p.in_ch < 4 || !transpose_rows_pay(p, 4, 128)) {
    transpose_conv2d_s8_scalar(p, input, weights, bias, output);
    return;
  }
  transpose_conv2d_s8_by_rows(
      p, input, weights, bias, output,
      Loops{p.in_ch, p.kernel_h * p.kernel_w * p.in_ch, p.input_zero_point});
}

}  // namespace mcugen
