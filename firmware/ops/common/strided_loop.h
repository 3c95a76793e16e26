// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <ops/common/op_args.h>

namespace mcugen::ops {

/// Walks tensors of different layouts side by side: the output in memory order, up to two inputs
/// by strides, broadcast where they are smaller. Dimensions that can be walked as one are merged,
/// so tensors of equal layout give one run over all elements.
///
///     do {
///       kernel(loop.run(), a + loop.offset(0), loop.step(0), …, out);
///       out += loop.run();
///     } while (loop.next());
class StridedLoop {
 public:
  /// Pairs the inputs' dimensions with those of `out`, the last with the last, as torch
  /// broadcasts. Fails through `args` if shapes do not match or the output has no elements' place.
  StridedLoop(OpArgs& args, const Tensor* out, const Tensor* a, const Tensor* b = nullptr);
  /// Output dimension d is input dimension dims[d].
  StridedLoop(OpArgs& args, const Tensor* out, const Tensor* in, const int32_t* dims);

  /// @returns elements in the innermost run; 0 if the tensors are empty.
  int32_t run() const { return sizes_[rank_ - 1]; }
  /// @returns the distance of neighbours of input `i` in a run, in elements.
  int32_t step(int32_t i) const { return strides_[i][rank_ - 1]; }
  /// @returns where the present run starts in input `i`, in elements.
  int32_t offset(int32_t i) const { return offsets_[i]; }
  /// @returns how many runs follow each other at one distance, and that distance in input `i`.
  int32_t runs() const { return rank_ > 1 ? sizes_[rank_ - 2] : 1; }
  int32_t run_step(int32_t i) const { return rank_ > 1 ? strides_[i][rank_ - 2] : 0; }
  /// Goes to the next run. @param[in] inner Dimensions not to walk, from the last: with 2, behind
  /// runs(). @returns false after the last.
  bool next(int32_t inner = 1);

 private:
  void order(const Tensor* out, const int32_t strides[2][kMaxDims]);

  int32_t rank_ = 1;
  int32_t sizes_[kMaxDims] = {};
  int32_t strides_[2][kMaxDims] = {};
  int32_t index_[kMaxDims] = {};
  int32_t offsets_[2] = {};
};

/// Copies `in` to `out`, element for element by index, whatever their memory order.
/// @param[in] dims As for StridedLoop; null for the same dimensions.
void copy_elements(OpArgs& args, const Tensor* out, const Tensor* in, const int32_t* dims);

}  // namespace mcugen::ops
