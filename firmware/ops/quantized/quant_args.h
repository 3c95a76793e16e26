// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <ops/common/op_args.h>

namespace mcugen::ops {

/// Arguments 1 to 5 of the (de)quantize operators: scale, zero point, range and dtype.
struct QuantArgs {
  explicit QuantArgs(OpArgs& args);

  ScalarType dtype;  ///< Char or Short: the quantized type.
  double scale;      ///< 2^-126 to 2^126: it and its reciprocal are normal floats.
  int32_t zero_point;
  int32_t quant_min;
  int32_t quant_max;
};

}  // namespace mcugen::ops
