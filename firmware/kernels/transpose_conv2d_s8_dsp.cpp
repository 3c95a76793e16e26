// SPDX-License-Identifier: BSD-3-Clause

#pragma GCC optimize("O2")

#include <kernels/forms.h>
#include <kernels/loops_dsp.h>
#include <kernels/simd_dsp.h>
#include <kernels/transpose_conv2d_s8_rows.h>

namespace mcugen {
namespace {

struct Loops {
  explicit Loops(const Conv2dS8Params& p)
      : in_ch(p.in_ch),
        row_step(p.kernel_h * p.kernel_w * p.in_ch),
        zero_point(p.input_zero_point),
        minus_zero_point(0x10001u * static_cast<uint16_t>(-p.input_zero_point)) {}

  void four_rows(const int8_t* input, const int8_t* weights, int32_t* sums) const {
    mcugen_dsp_four_rows(input, weights, row_step, static_cast<uint32_t>(in_ch) / 4,
                         minus_zero_point, sums);
    add_last_channels(input, weights, in_ch, row_step, zero_point, sums);
  }

  int32_t one_row(const int8_t* input, const int8_t* weights, int32_t sum) const {
    const int8_t* const end = input + in_ch;
    for (const int8_t* const fours = input + (in_ch & ~3); input != fours;
         input += 4, weights += 4) {
      const uint32_t values = load_four(input);
      const uint32_t four = load_four(weights);
      sum = dot(add_even(minus_zero_point, values), even(four), sum);
      sum = dot(add_odd(minus_zero_point, values), odd(four), sum);
    }
    for (; input != end; ++input, ++weights) {
      sum = wrapping_add(sum, (*input - zero_point) * *weights);
    }
    return sum;
  }

  int32_t in_ch, row_step;
  int32_t zero_point;
  uint32_t minus_zero_point;
};

}  // namespace

void transpose_conv2d_s8_dsp(const Conv2dS8Params& p, const int8_t* input, const int8_t* weights,
                             const int32_t* bias, int8_t* output) {
  if (!forms::kTransposeRows || p.in_ch < 4 ||
      (forms::kTransposeScalar && !transpose_rows_pay(p, 4, 24))) {
    transpose_conv2d_s8_scalar(p, input, weights, bias, output);
    return;
  }
  transpose_conv2d_s8_by_rows(p, input, weights, bias, output, Loops(p));
}

}  // namespace mcugen
