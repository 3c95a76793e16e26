// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <kernels/pool2d_s8.h>
#include <ops/common/op_args.h>

namespace mcugen::ops {

/// Reads what both pools have in common: input, window, and the output.
/// @param[in] ceil_index Where ceil_mode is.
Pool2dS8Params read_pool(OpArgs& args, size_t ceil_index, const Tensor* input, const Tensor* out,
                         Layout layout);

}  // namespace mcugen::ops
