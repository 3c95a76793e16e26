// SPDX-License-Identifier: BSD-3-Clause
#include <kernels/image.h>
#include <kernels/matmul_f32.h>

namespace mcugen {

void matmul_f32_scalar(const MatmulParams& p, float alpha, float beta, const float* a,
                       const float* b, const float* added, float* output) {
  for (int32_t row = 0; row < p.rows; ++row) {
    for (int32_t column = 0; column < p.columns; ++column) {
      const float* left = a + row * p.a_row;
      const float* right = b + column * p.b_column;
      float sum = 0.0f;
      for (int32_t k = p.depth; k > 0; --k, left += p.a_step, right += p.b_step) {
        sum += *left * *right;
      }
      if (alpha != 1.0f) {
        sum *= alpha;
      }
      if (added != nullptr) {
        sum += beta * added[row * p.added_row + column * p.added_step];
      }
      output[row * p.out_row + column * p.out_step] = one_nan(sum);
    }
  }
}

}  // namespace mcugen
