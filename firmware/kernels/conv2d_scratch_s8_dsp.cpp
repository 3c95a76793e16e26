// SPDX-License-Identifier: BSD-3-Clause
#include <kernels/conv2d_scratch_s8.h>
#include <kernels/im2col_s8_dsp.h>
#include <kernels/product_scratch.h>
#include <kernels/winograd_form.h>
#include <kernels/winograd_s8_dsp.h>

namespace mcugen {
namespace {

uint32_t winograd(const Conv2dS8Params& p) {
  if (!winograd_has_form(p)) {
    return 0;
  }
  // A row of tiles with the weights of most pairs of channels, or all rows with those of one.
  const int32_t pairs = (5 * ((p.out_ch + 1) / 2) + 7) / 8;
  const uint32_t row = winograd_s8_scratch(p, 1, pairs);
  const uint32_t all = winograd_s8_scratch(p, p.out_h / 2, 1);
  const uint32_t least = row < all ? row : all;
  return least < kMostLeastScratch ? least : kMostLeastScratch;
}

}  // namespace

uint32_t conv2d_s8_scratch_dsp(const Conv2dS8Params& p) {
  if (p.out_ch / p.groups < 2) {
    return 0;
  }
  const uint32_t by_product = product_scratch(p, convolve_s8_scratch, kProductPixelsDsp);
  const uint32_t by_winograd = winograd(p);
  return by_product > by_winograd ? by_product : by_winograd;
}

}  // namespace mcugen
