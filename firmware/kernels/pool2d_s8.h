// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>

namespace mcugen {

struct Pool2dS8Params {
  int32_t batch;
  int32_t in_h, in_w;
  int32_t channels;
  int32_t out_h, out_w;
  int32_t kernel_h, kernel_w;
  int32_t stride_h, stride_w;
  int32_t pad_top, pad_left;
  int32_t activation_min, activation_max;  ///< Used by max_pool2d_s8 only.
};

/// Average over the part of the window that lies inside the image, NHWC:
///   output = sum / count, rounded to nearest, halves away from zero.
/// Input and output have the same scale and zero point, which therefore cancel.
///
/// @param[in] input int8[batch, in_h, in_w, channels].
/// @param[out] output int8[batch, out_h, out_w, channels]; must not overlap the input.
/// Every window must hold at least one pixel of the image and at most 2^23.
void avg_pool2d_s8_scalar(const Pool2dS8Params& params, const int8_t* input, int8_t* output);

/// The same, four channels at a time.
void avg_pool2d_s8_dsp(const Pool2dS8Params& params, const int8_t* input, int8_t* output);
void avg_pool2d_s8_mla(const Pool2dS8Params& params, const int8_t* input, int8_t* output);

/// Largest value of the part of the window that lies inside the image, then clamped. As above.
void max_pool2d_s8_scalar(const Pool2dS8Params& params, const int8_t* input, int8_t* output);

/// The same, four channels at a time.
void max_pool2d_s8_dsp(const Pool2dS8Params& params, const int8_t* input, int8_t* output);
void max_pool2d_s8_mla(const Pool2dS8Params& params, const int8_t* input, int8_t* output);

/// The same by Helium, several channels at a time.
void avg_pool2d_s8_mve(const Pool2dS8Params& params, const int8_t* input, int8_t* output);
void max_pool2d_s8_mve(const Pool2dS8Params& params, const int8_t* input, int8_t* output);

}  // namespace mcugen
