// SPDX-License-Identifier: BSD-3-Clause
#include <ops/common/view.h>
#include <ops/network/network_args.h>

namespace mcugen::ops {
namespace {

/// @returns the number of windows along one axis, as torch counts them; at most 0 if none fits.
int32_t count_windows(int32_t in, int32_t pad, int32_t dilation, int32_t kernel, int32_t stride,
                      bool ceil_mode) {
  // Below 2^31: an image of 2^24 and two paddings of 2^15, less a window of up to 2^30.
  const int32_t slack = in + 2 * pad - dilation * (kernel - 1) - 1;
  const int32_t rounded = slack + (ceil_mode ? stride - 1 : 0);
  if (rounded < 0) {
    return 0;
  }
  const int32_t count = rounded / stride + 1;
  // The last window starts inside the image or the padding before it.
  return ceil_mode && (count - 1) * stride >= in + pad ? count - 1 : count;
}

}  // namespace

Image image_of(OpArgs& args, const Tensor* tensor, Rank3 rank3) {
  if (!args.ok() || !args.check(tensor->dim() == 3 || tensor->dim() == 4, "rank")) {
    return {};
  }
  const View view(*tensor);
  int32_t sizes[4] = {1, 1, 1, 1};
  int32_t steps[4] = {};
  for (int32_t d = 0; d < view.rank; ++d) {
    const int32_t at = view.rank == 4 ? d : rank3 == Rank3::kImage ? d + 1 : d == 2 ? 3 : d;
    sizes[at] = view.sizes[d];
    steps[at] = view.strides[d];
    args.check(sizes[at] <= kMaxExtent && sizes[at] >= (at == 0 ? 0 : 1), "shape");
  }
  return {sizes[0], sizes[1], sizes[2], sizes[3], steps[0], steps[1], steps[2], steps[3]};
}

ImageSizes::ImageSizes(const Tensor* like, Rank3 rank3, const Image& image)
    : sizes{image.n, image.c, image.h, image.w}, rank(static_cast<int32_t>(like->dim())) {
  if (rank == 3) {
    if (rank3 == Rank3::kImage) {
      sizes[0] = image.c;
      sizes[1] = image.h;
    }
    sizes[2] = image.w;
  }
}

void window_pair(OpArgs& args, size_t index, bool one_dimension, int32_t neutral, int32_t min,
                 int32_t max, int32_t& height, int32_t& width) {
  height = neutral;
  width = neutral;
  if (!one_dimension) {
    args.pair(index, min, max, height, width);
    return;
  }
  const auto list = args.ints(index, 1);
  if (args.ok() && args.check(list.data()[0] >= min && list.data()[0] <= max, "int[1]")) {
    width = static_cast<int32_t>(list.data()[0]);
  }
}

Windows read_windows(OpArgs& args, size_t dilation_index, size_t ceil_index, const Image& in) {
  Windows w{1, 1, 1, 1, 0, 0, 1, 1, 0, 0};
  args.pair(1, 1, kMaxWindow, w.kernel_h, w.kernel_w);
  if (args.ints(2, -1).size() == 0) {
    w.stride_h = w.kernel_h;
    w.stride_w = w.kernel_w;
  } else {
    args.pair(2, 1, kMaxWindow, w.stride_h, w.stride_w);
  }
  args.pair(3, 0, kMaxWindow, w.pad_top, w.pad_left);
  if (dilation_index != 0) {
    args.pair(dilation_index, 1, kMaxWindow, w.dilation_h, w.dilation_w);
  }
  const bool ceil_mode = args.boolean(ceil_index);
  // torch demands it too.
  args.check(2 * w.pad_top <= w.kernel_h && 2 * w.pad_left <= w.kernel_w, "padding");
  if (args.ok()) {
    w.out_h = count_windows(in.h, w.pad_top, w.dilation_h, w.kernel_h, w.stride_h, ceil_mode);
    w.out_w = count_windows(in.w, w.pad_left, w.dilation_w, w.kernel_w, w.stride_w, ceil_mode);
    args.check(w.out_h >= 1 && w.out_w >= 1, "kernel size");
  }
  return w;
}

const float* optional_floats(OpArgs& args, size_t index, int32_t count) {
  const Tensor* const tensor = args.optional_tensor(index, ScalarType::Float);
  if (tensor == nullptr) {
    return nullptr;
  }
  return args.check(tensor->dim() == 1 && sizes_of(*tensor)[0] == count, "shape of a parameter")
             ? tensor->const_data_ptr<float>()
             : nullptr;
}

}  // namespace mcugen::ops
