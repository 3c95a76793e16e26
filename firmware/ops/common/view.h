// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <ops/common/op_args.h>

namespace mcugen::ops {

/// A rectangle of a tensor's elements: where it starts and how far apart neighbours lie, in
/// elements. Most operators on shapes are one copy between two such views.
struct View {
  /// All of `tensor`. Of a tensor without elements the strides are zero.
  explicit View(const Tensor& tensor);

  /// Drops dimension `d`.
  void remove(int32_t d);
  /// Puts a dimension before dimension `d`; fails if there are kMaxDims already.
  void insert(OpArgs& args, int32_t d, int32_t size, int32_t stride);
  /// Keeps `size` elements along dimension `d`, `step` apart, from `start` on.
  void narrow(int32_t d, int32_t start, int32_t size, int32_t step = 1);

  int32_t rank;
  int32_t sizes[kMaxDims] = {};
  int32_t strides[kMaxDims] = {};
  int32_t offset = 0;
};

/// Copies a run of elements from `from` on to `to` on, with the types and steps of each.
using CopyRun = void (*)(int32_t count, void* to, ScalarType to_type, int32_t to_step,
                         const void* from, ScalarType from_type, int32_t from_step);

/// A CopyRun for elements of one type.
void copy_run(int32_t count, void* to, ScalarType to_type, int32_t to_step, const void* from,
              ScalarType from_type, int32_t from_step);
/// A CopyRun that converts between the types of kComputeDtypes as C does; wraps where C leaves it
/// undefined.
void convert_run(int32_t count, void* to, ScalarType to_type, int32_t to_step, const void* from,
                 ScalarType from_type, int32_t from_step);

/// Checks that copy_run, or convert_run if `convert`, takes these two.
void check_types(OpArgs& args, const Tensor* out, const Tensor* in, bool convert);

/// Copies the elements of `from`, a view of `in`, to those of `to`, a view of `out` with as many
/// dimensions as `out` has; `to` gives the sizes of both.
void copy_view(const Tensor* out, const View& to, const Tensor* in, const View& from,
               CopyRun run = copy_run);

/// Makes `out` a copy of `view`, a view of `in`: checks the type and gives `out` the shape.
void copy_whole(OpArgs& args, const Tensor* out, const Tensor* in, const View& view);

/// Walks the elements of a block in up to three tensors at once.
class BlockLoop {
 public:
  static constexpr int32_t kBlockDims = kMaxDims + 2;

  /// Adds a dimension inside of those there are, with the stride of each tensor.
  void add(int32_t size, int32_t stride0, int32_t stride1 = 0, int32_t stride2 = 0);
  /// The same for walks that do not ask for index(): leaves out dimensions of size 1 and merges
  /// those of the first two tensors that can be walked as one.
  void add_merged(int32_t size, int32_t stride0, int32_t stride1);
  /// Makes short runs long where the order of elements does not matter: swaps the last two
  /// dimensions. Not for walks that ask for index().
  void lengthen_run();
  /// Goes to the next element. @param[in] inner Dimensions not to walk, from the last.
  /// @returns false after the last, and is then at the first again.
  bool next(int32_t inner = 0);
  /// @returns whether there is no element.
  bool empty() const { return empty_; }
  /// @returns where the present element lies in tensor `i`, in elements.
  int32_t offset(int32_t i) const { return offsets_[i]; }
  /// @returns the size of the innermost dimension, and its stride in tensor `i`; 1 without any.
  int32_t run() const { return rank_ == 0 ? 1 : sizes_[rank_ - 1]; }
  int32_t step(int32_t i) const { return rank_ == 0 ? 1 : strides_[i][rank_ - 1]; }
  /// @returns the present index along dimension `d`, in the order of the add()s.
  int32_t index(int32_t d) const { return index_[d]; }

 private:
  bool empty_ = false;
  int32_t rank_ = 0;
  int32_t sizes_[kBlockDims];
  int32_t strides_[3][kBlockDims];
  int32_t index_[kBlockDims] = {};
  int32_t offsets_[3] = {};
};

/// @returns the address of element `index`.
inline char* element(const Tensor* tensor, int32_t index) {
  return tensor->mutable_data_ptr<char>() +
         static_cast<ptrdiff_t>(index) *
             static_cast<ptrdiff_t>(element_bytes(tensor->scalar_type()));
}

/// Narrows `view` as the arguments dim, index (from `first` on) say, and drops the dimension.
void select_argument(OpArgs& args, size_t first, View& view);
/// Narrows `view` as the arguments dim, start, end, step (from `first` on) say.
void slice_arguments(OpArgs& args, size_t first, View& view);
/// Reads an int[] of sizes. @returns their number, at most kMaxDims.
int32_t size_arguments(OpArgs& args, size_t index, int32_t* sizes);
/// Reads the int[] of a view of `self`, as sizes of as many elements: one may be -1, what is left.
/// @returns their number.
int32_t view_arguments(OpArgs& args, size_t index, const Tensor* self, int32_t* sizes);
/// Reads a Scalar as an element of `dtype`, of kComputeDtypes. Integers must be in range.
void element_argument(OpArgs& args, size_t index, ScalarType dtype, void* element);
/// Checks that `value` is a size, and returns it.
int32_t as_size(OpArgs& args, int64_t value);

}  // namespace mcugen::ops
