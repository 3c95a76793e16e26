// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <kernels/conv_choice.h>
#include <kernels/forms.h>
#include <kernels/gemm_s8_mla.h>
#include <kernels/im2col_s8_mla.h>
#include <kernels/loops_mla.h>

#include <cstdint>

/// conv_choice.h without the DSP extension, as counted on a Cortex-M3 and on Armv6-M
/// (tests/kernels/test_awkward.py).

namespace mcugen {

#if MCUGEN_MLA_CHANNELS == 2
inline constexpr ScalarCosts kMlaScalarCosts{134, 70, 75, 31, 11, 49};
inline constexpr ProductCosts kMlaCosts{380, 63, 161, 19, 102, 27, 23, 27,
                                        0,   3,  16,  11, 10,  2,  8,  500};
#else
inline constexpr ScalarCosts kMlaScalarCosts{232, 133, 112, 39, 18, 90};
inline constexpr ProductCosts kMlaCosts{666, 119, 282, 47, 182, 33, 59, 33,
                                        0,   0,   31,  32, 15,  1,  8,  900};
#endif

/// What a weight takes more where they lie apart.
inline constexpr uint32_t kMlaApartEighths = 80;

/// @param[in] apart Whether the weights of a channel lie apart.
[[gnu::noinline]] inline bool scalar_conv_is_quicker_mla(const Conv2dS8Params& p, bool apart) {
  if (!forms::kChoice) {
    return false;
  }
  const int32_t group_in_ch = p.groups == 1 ? p.in_ch : p.in_ch / p.groups;
  const int32_t taps = p.kernel_h * p.kernel_w * group_in_ch;
  if (!mla_product_pays(p, taps)) {
    return true;  // there is no other
  }
  const uint32_t fixed = convolve_s8_mla_scratch(p, 0);
  const uint32_t pair = convolve_s8_mla_scratch(p, 2) - fixed;
  ProductCosts costs = kMlaCosts;
  if (apart) {
    costs.channel_tap_eighths += kMlaApartEighths;
    costs.doubt = kDoubtApart;
  }
  return scalar_conv_is_quicker(p, costs, kMlaScalarCosts, fixed, pair, gemm_s8_mla_padded(taps),
                                false);
}

}  // namespace mcugen
