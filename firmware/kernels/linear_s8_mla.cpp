// SPDX-License-Identifier: BSD-3-Clause

// Nearly all time is spent here; the rest of the firmware is built for size.
#pragma GCC optimize("O2")

#include <kernels/linear_s8.h>
#include <kernels/linear_s8_rows.h>
#include <kernels/loops_mla.h>

namespace mcugen {
namespace {

#if MCUGEN_MLA_CHANNELS == 2
constexpr LinearCosts kCosts{53, 137, 45, 32, 63, 61, 5, 45, 7};
#else
constexpr LinearCosts kCosts{50, 343, 61, 55, 65, 86, 7, 92, 11};
#endif

}  // namespace

void linear_s8_mla(const LinearS8Params& p, const int8_t* input, const int8_t* weights,
                   const int32_t* bias, int8_t* output) {
  const int32_t in_ch = p.in_ch;
  const int32_t zero_point = p.input_zero_point;
  if (in_ch < 4 || p.out_ch < kLinearS8Rows || !linear_s8_rows_pay(p, kCosts)) {
    linear_s8_scalar(p, input, weights, bias, output);
    return;
  }
  linear_s8_by_rows(
      p, input, weights, bias, output, [=](const int8_t* in, const int8_t* rows, int32_t* sums) {
        mcugen_mla_four_rows(in, rows, in_ch, static_cast<uint32_t>(in_ch) / 4, zero_point, sums);
      });
}

}  // namespace mcugen
