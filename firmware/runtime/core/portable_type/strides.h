// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <cstdint>

namespace mcugen {

/// dim_order_to_stride_nocheck() of ExecuTorch's headers, once in the image instead of once per
/// use.
void set_strides(const int32_t* sizes, const uint8_t* dim_order, size_t dim, int32_t* strides);

}  // namespace mcugen
