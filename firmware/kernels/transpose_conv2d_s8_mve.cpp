// SPDX-License-Identifier: BSD-3-Clause

#if !defined(__ARM_FEATURE_MVE)
#error "transpose_conv2d_s8_mve.cpp needs a core with Helium"
#endif

#pragma GCC optimize("O2")

#include <arm_mve.h>
#include <kernels/transpose_conv2d_s8_rows.h>

namespace mcugen {
namespace {

/// Eight channels at a time, as int16.
struct Loops {
  int16x8_t values(const int8_t* input, mve_pred16_t some) const {
    return vsubq_n_s16(vldrbq_z_s16(input, some), zero_point);
  }

  void four_rows(const int8_t* input, const int8_t* weights, int32_t* sums) const {
    int32_t a = sums[0], b = sums[1], c = sums[2], d = sums[3];
    for (int32_t left = in_ch; left > 0; left -= 8, input += 8, weights += 8) {
      const mve_pred16_t some = vctp16q(static_cast<uint32_t>(left));
      const int16x8_t in = values(input, some);
      const int8_t* w = weights;
      a = vmladavaq_s16(a, in, vldrbq_z_s16(w, some));  // no weight, no product
      w += row_step;
      b = vmladavaq_s16(b, in, vldrbq_z_s16(w, some));
      w += row_step;
      c = vmladavaq_s16(c, in, vldrbq_z_s16(w, some));
      d = vmladavaq_s16(d, in, vldrbq_z_s16(w + row_step, some));
    }
    sums[0] = a;
    sums[1] = b;
    sums[2] = c;
    sums[3] = d;
  }

  int32_t one_row(const int8_t* input, const int8_t* weights, int32_t sum) const {
    for (int32_t left = in_ch; left > 0; left -= 8, input += 8, weights += 8) {
      const mve_pred16_t some = vctp16q(static_cast<uint32_t>(left));
      sum = vmladavaq_s16(sum, values(input, some), vldrbq_z_s16(weights, some));
    }
    return sum;
  }

  int32_t in_ch, row_step;
  int16_t zero_point;
};

}  // namespace

void transpose_conv2d_s8_mve(const Conv2dS8Params& p, const int8_t* input, const int8_t* weights,
                             const int32_t* bias, int8_t* output) {
  if (!transpose_rows_pay(p, p.in_ch == 1 ? 9 : 4, 24)) {
    transpose_conv2d_s8_scalar(p, input, weights, bias, output);
    return;
  }
  transpose_conv2d_s8_by_rows(
      p, input, weights, bias, output,
      Loops{p.in_ch, p.kernel_h * p.kernel_w * p.in_ch, static_cast<int16_t>(p.input_zero_point)});
}

}  // namespace mcugen
