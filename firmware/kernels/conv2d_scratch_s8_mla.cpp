// SPDX-License-Identifier: BSD-3-Clause
#include <kernels/conv2d_scratch_s8.h>
#include <kernels/im2col_s8_mla.h>
#include <kernels/loops_mla.h>
#include <kernels/product_scratch.h>
#include <kernels/winograd_s8_mla.h>

namespace mcugen {
namespace {

#if MCUGEN_MLA_CHANNELS == 2
constexpr int32_t kWinogradPixels = 64;
constexpr int32_t kMostInCh = 64;

uint32_t winograd(const Conv2dS8Params& p) {
  if (p.kernel_h != 3 || p.kernel_w != 3 || p.stride_h != 1 || p.stride_w != 1 ||
      p.dilation_h != 1 || p.dilation_w != 1 || p.groups != 1 || p.in_ch % 2 != 0 ||
      p.in_ch > kMostInCh || p.out_h % 2 != 0 || p.out_w % 4 != 0) {
    return 0;
  }
  // Some rows of tiles; no more than one with all weights, or all with those of one pair.
  const int32_t rows = (kWinogradPixels + 2 * p.out_w - 1) / (2 * p.out_w);
  const uint32_t asked = winograd_s8_mla_scratch(p, rows, 0);
  const uint32_t row = winograd_s8_mla_scratch(p, 1, (p.out_ch + 1) / 2);
  const uint32_t all = winograd_s8_mla_scratch(p, p.out_h / 2, 0);
  uint32_t least = asked < row ? asked : row;
  least = least < all ? least : all;
  return least < kMostLeastScratch ? least : kMostLeastScratch;
}
#else
uint32_t winograd(const Conv2dS8Params&) { return 0; }
#endif

}  // namespace

uint32_t conv2d_s8_scratch_mla(const Conv2dS8Params& p) {
  if (p.out_ch / p.groups < 2) {
    return 0;
  }
  const uint32_t by_product = product_scratch(p, convolve_s8_mla_scratch, kProductPixelsMla);
  const uint32_t by_winograd = winograd(p);
  return by_product > by_winograd ? by_product : by_winograd;
}

}  // namespace mcugen
