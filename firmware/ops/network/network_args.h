// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <kernels/image.h>
#include <ops/common/elements.h>
#include <ops/common/op_args.h>

namespace mcugen::ops {

/// What a tensor of three dimensions is.
enum class Rank3 : uint8_t {
  kSequence,  ///< N, C, W: a batch of rows, as 1-D convolutions take it.
  kImage,     ///< C, H, W: one image without a batch dimension, as pools take it.
};

/// @returns where the elements of an image of rank 4, or 3, lie. Any dim order. At most kMaxExtent
///     along each dimension, at least 1 in all but N.
Image image_of(OpArgs& args, const Tensor* tensor, Rank3 rank3);

/// @returns the sizes in the order of the tensor's dimensions, for OpArgs::resize().
struct ImageSizes {
  ImageSizes(const Tensor* like, Rank3 rank3, const Image& image);
  int32_t sizes[4];
  int32_t rank;
};

/// Reads the entries for height and width of an int[] with one or two entries, each within
/// [min, max]. For a sequence (`one_dimension`) it has one entry, for the width; the height is
/// `neutral`.
void window_pair(OpArgs& args, size_t index, bool one_dimension, int32_t neutral, int32_t min,
                 int32_t max, int32_t& height, int32_t& width);

/// The windows of a pool.
struct Windows {
  int32_t kernel_h, kernel_w;
  int32_t stride_h, stride_w;
  int32_t pad_top, pad_left;
  int32_t dilation_h, dilation_w;
  int32_t out_h, out_w;
};

/// Reads kernel_size, stride and padding, from argument 1 on, dilation unless `dilation_index` is
/// 0, and ceil_mode. Counts the windows as torch does.
Windows read_windows(OpArgs& args, size_t dilation_index, size_t ceil_index, const Image& in);

/// @returns the data of an optional float tensor of one dimension with exactly `count` elements;
///     null for None.
const float* optional_floats(OpArgs& args, size_t index, int32_t count);

/// Checks that an argument that is not used is a bool.
inline void unused_boolean(OpArgs& args, size_t index) { args.boolean(index); }

}  // namespace mcugen::ops
