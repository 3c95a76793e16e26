// SPDX-License-Identifier: BSD-3-Clause

// Nearly all time is spent here; the rest of the firmware is built for size.
#pragma GCC optimize("O2")

#include <kernels/forms.h>
#include <kernels/linear_s8.h>
#include <kernels/linear_s8_rows.h>
#include <kernels/loops_dsp.h>

namespace mcugen {
namespace {

constexpr LinearCosts kCosts{53, 142, 24, 37, 55, 60, 5, 45, 7};

}  // namespace

void linear_s8_dsp(const LinearS8Params& p, const int8_t* input, const int8_t* weights,
                   const int32_t* bias, int8_t* output) {
  const int32_t in_ch = p.in_ch;
  if (!forms::kLinearRows || in_ch < 4 || p.out_ch < kLinearS8Rows ||
      (forms::kLinearScalar && !linear_s8_rows_pay(p, kCosts))) {
    linear_s8_scalar(p, input, weights, bias, output);
    return;
  }
  const uint32_t minus_zero_point = 0x10001u * static_cast<uint16_t>(-p.input_zero_point);
  linear_s8_by_rows(p, input, weights, bias, output,
                    [=](const int8_t* in, const int8_t* rows, int32_t* sums) {
                      mcugen_dsp_four_rows(in, rows, in_ch, static_cast<uint32_t>(in_ch) / 4,
                                           minus_zero_point, sums);
                    });
}

}  // namespace mcugen
