// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <ops/op_args.h>

/// Layers in float: convolution, pooling, normalisation, matrix products; and
/// quantized_decomposed. See ops.h.

namespace mcugen::ops {}  // namespace mcugen::ops
