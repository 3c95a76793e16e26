// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>

namespace mcugen {

/// Sizes, and distances of neighbours in elements, of a product of matrices.
struct MatmulParams {
  int32_t rows, depth, columns;
  int32_t a_row, a_step;          ///< Down and along a[rows, depth].
  int32_t b_step, b_column;       ///< Down and along b[depth, columns].
  int32_t added_row, added_step;  ///< Down and along added[rows, columns]; 0 where it is repeated.
  int32_t out_row, out_step;      ///< Down and along output[rows, columns].
};

/// output = alpha * (a · b) + beta * added, in float; the products are added up from the first to
/// the last. The output must not overlap the inputs.
/// @param[in] added Null for none.
void matmul_f32_scalar(const MatmulParams& params, float alpha, float beta, const float* a,
                       const float* b, const float* added, float* output);

}  // namespace mcugen
