// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <kernels/conv2d_s8_params.h>
#include <ops/common/op_args.h>

namespace mcugen::ops {

/// Most taps of a window of packed weights: what is computed of them stays inside 32 bits.
constexpr int64_t kMostTaps = 1 << 26;

/// What the convolution operators have in common, read and checked.
struct ConvArgs {
  /// Where the operators' argument lists differ.
  struct Indices {
    size_t dilation;
    size_t input_offset;  ///< Followed by output_offset, two tensors, activation_min and _max.
    size_t out;
  };

  /// Reads everything but the weights' meaning: sets in_*, out_*, strides, padding, dilation, zero
  /// points and activation of `params`.
  /// @param[in] weights Of argument 1.
  ConvArgs(OpArgs& args, const Indices& indices, Layout layout,
           ScalarType weights = ScalarType::Char);

  /// Checks weights int8[sizes[0], …, sizes[3]], reads kernel size, bias and channel scaling.
  void read_weights(OpArgs& args, const Indices& indices, int32_t outermost, int32_t innermost);

  /// Checks the size of the output, of convolutions that are not transposed.
  /// @returns args.ok().
  bool check_output(OpArgs& args) const;

  /// Checks the memory of an output that may lie over the input: of one image, and far enough
  /// before the input that a pixel of the output is written behind the last window that reads what
  /// was there. So any kernel will do that goes through the output in the order of memory, pixel by
  /// pixel or in blocks whose windows are read before it writes.
  /// @param[in] unit Input and output lie a multiple of so many bytes apart; 0 where they must not
  ///     overlap.
  /// @returns args.ok().
  bool check_in_place(OpArgs& args, int32_t unit) const;

  Conv2dS8Params params{};
  const Tensor* input = nullptr;
  const Tensor* weights = nullptr;  ///< Argument 1.
  const int32_t* bias = nullptr;
  const Tensor* out = nullptr;
};

}  // namespace mcugen::ops
