// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>

namespace mcugen {

struct PadS8Params {
  int32_t in_size[4];  ///< Dimensions in memory order, outermost first.
  int32_t pre[4];      ///< Elements added before; not negative.
  int32_t post[4];     ///< Elements added after; not negative.
  int8_t value;
};

/// Pads up to four dimensions with a constant.
/// @param[in] input int8[in_size].
/// @param[out] output int8[in_size + pre + post]; must not overlap the input.
void pad_s8_scalar(const PadS8Params& params, const int8_t* input, int8_t* output);

/// The same by Helium, what is not padded as one run.
void pad_s8_mve(const PadS8Params& params, const int8_t* input, int8_t* output);

}  // namespace mcugen
