// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <kernels/conv_choice.h>
#include <kernels/conv_runs.h>
#include <kernels/forms.h>
#include <kernels/im2col_s8_dsp.h>

#include <cstdint>

/// conv_choice.h with the DSP extension, as counted on a Cortex-M4 (tests/kernels/test_awkward.py).

namespace mcugen {

inline constexpr ScalarCosts kDspScalarCosts{126, 70, 77, 31, 11, 49};
/// Weights that are not read by words take three times as long to lay out.
inline constexpr ProductCosts kDspCostsByWords{600, 440, 104, 4, 133, 11, 15, 30,
                                               4,   3,   7,   7, 5,   2,  4,  500};
inline constexpr ProductCosts kDspCostsByTaps{600, 440, 104, 19, 133, 11, 15, 30,
                                              4,   3,   7,   7,  5,   2,  4,  500};

/// @param[in] apart Whether the weights of a channel lie apart.
[[gnu::noinline]] inline bool scalar_conv_is_quicker_dsp(const Conv2dS8Params& p, bool apart) {
  const int32_t group_out_ch = p.groups == 1 ? p.out_ch : p.out_ch / p.groups;
  if (!forms::kChoice || group_out_ch < 2) {
    return false;
  }
  const ConvRuns runs = conv_runs(p);
  const uint32_t fixed = convolve_s8_scratch(p, 0);
  const uint32_t pair = convolve_s8_scratch(p, 2) - fixed;
  const bool by_words = !apart && runs.run % 4 == 0 && runs.runs * runs.run % 8 == 0;
  const bool in_place =
      p.groups == 1 && p.dilation_w == 1 && (runs.nine || runs.runs == p.kernel_h);
  ProductCosts costs = by_words ? kDspCostsByWords : kDspCostsByTaps;
  costs.doubt = apart ? kDoubtApart : costs.doubt;
  return scalar_conv_is_quicker(p, costs, kDspScalarCosts, fixed, pair, runs.padded, in_place);
}

}  // namespace mcugen
