// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <kernels/scratch.h>

#include <cstdint>

namespace mcugen {

/// Of conv2d_s8 and transpose_conv2d_s8; operators describe depthwise convolutions so, too.
struct Conv2dS8Params {
  int32_t batch;
  int32_t in_h, in_w, in_ch;
  int32_t out_h, out_w, out_ch;
  int32_t kernel_h, kernel_w;
  int32_t groups;  ///< Divides in_ch and out_ch.
  int32_t stride_h, stride_w;
  int32_t pad_top, pad_left;  ///< What lies below and right of the image follows from out_h, out_w.
  int32_t dilation_h, dilation_w;
  int32_t input_zero_point;   ///< [-128, 127]
  int32_t output_zero_point;  ///< [-128, 127]
  int32_t activation_min, activation_max;
  const int32_t* multipliers;  ///< int32[out_ch]
  const int32_t* shifts;       ///< int32[out_ch], kMinShift to kMaxShift
  Scratch scratch;             ///< Not used by the scalar kernels.
};

}  // namespace mcugen
