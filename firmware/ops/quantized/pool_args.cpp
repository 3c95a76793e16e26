// SPDX-License-Identifier: BSD-3-Clause
#include <ops/quantized/pool_args.h>

namespace mcugen::ops {
namespace {

/// @returns the number of windows along one axis, as torch counts them.
int32_t pool_outputs(int32_t in, int32_t pad, int32_t kernel, int32_t stride, bool ceil_mode) {
  int32_t outputs = window_outputs(in, pad, 1, kernel, stride);
  if (ceil_mode) {
    outputs = outputs < 0 ? 0 : outputs;          // a window larger than the image is one window
    const int32_t next = outputs * stride - pad;  // where one more window would start
    const bool input_left = next - stride + kernel < in + pad;
    if (input_left && next < in) {
      ++outputs;
    }
  }
  return outputs;
}

}  // namespace

Pool2dS8Params read_pool(OpArgs& args, size_t ceil_index, const Tensor* input, const Tensor* out,
                         Layout layout) {
  Pool2dS8Params p{};
  const Nhwc in = args.image(input, layout);
  const Nhwc result = args.image(out, layout);
  args.pair(1, 1, kMaxWindow, p.kernel_h, p.kernel_w);
  args.pair(2, 1, kMaxWindow, p.stride_h, p.stride_w);
  args.pair(3, 0, kMaxWindow, p.pad_top, p.pad_left);
  const bool ceil_mode = args.boolean(ceil_index);
  // At most half of a window is padding (torch demands it), so none is empty.
  args.check(2 * p.pad_top <= p.kernel_h && 2 * p.pad_left <= p.kernel_w, "padding");
  // Sums fit 32 bits with halves added: 2^23 pixels of at most 128.
  const int32_t rows = p.kernel_h < in.h ? p.kernel_h : in.h;
  const int32_t columns = p.kernel_w < in.w ? p.kernel_w : in.w;
  args.check(rows <= (1 << 23) / (columns > 0 ? columns : 1), "kernel size");
  args.check(in.n == result.n && in.c == result.c, "shape");
  if (args.ok()) {
    args.check(result.h == pool_outputs(in.h, p.pad_top, p.kernel_h, p.stride_h, ceil_mode) &&
                   result.w == pool_outputs(in.w, p.pad_left, p.kernel_w, p.stride_w, ceil_mode),
               "output shape");
  }
  p.batch = in.n;
  p.in_h = in.h;
  p.in_w = in.w;
  p.channels = in.c;
  p.out_h = result.h;
  p.out_w = result.w;
  return p;
}

}  // namespace mcugen::ops
