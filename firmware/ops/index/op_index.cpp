// SPDX-License-Identifier: BSD-3-Clause
#include <ops/common/view.h>
#include <ops/index/operators.h>

/// aten::index and aten::index_put: tensors of indices, or masks, for several dimensions at once.

namespace mcugen::ops {
namespace {

constexpr uint32_t kMaskDtypes = dtype_bit(ScalarType::Bool) | dtype_bit(ScalarType::Byte);
constexpr uint32_t kIndexDtypes =
    dtype_bit(ScalarType::Int) | dtype_bit(ScalarType::Long) | kMaskDtypes;

bool is_mask(const Tensor& index) { return is_one_of(index.scalar_type(), kMaskDtypes); }

/// @returns where the element at `position`, in the order of indices, lies by `strides`.
int32_t offset_of(int32_t position, const int32_t* sizes, int32_t rank, const int32_t* strides) {
  int32_t offset = 0;
  for (int32_t d = rank - 1; d >= 0; --d) {
    offset += position % sizes[d] * strides[d];
    position /= sizes[d];
  }
  return offset;
}

/// What a list of indices selects from a tensor. All index tensors are broadcast to one shape; the
/// result has that shape in place of the indexed dimensions, in front if they are not neighbours.
class Selection {
 public:
  /// @param[in] resized The output if it is not self: it must not be an index, whose shape would
  ///     change with it.
  Selection(OpArgs& args, size_t index, const View& self, const Tensor* resized);

  /// The result's shape.
  int32_t rank() const { return broadcast_rank_ + kept_rank_; }
  int32_t sizes[kMaxDims] = {};

  /// Calls `visit(offset in self, offset in result)` for each position of the broadcast indices;
  /// both views have the shapes they are named for. @returns false after a bad index.
  template <typename Visit>
  bool walk(OpArgs& args, const View& self, const View& result, Visit visit);

  /// @returns how many dimensions of self are not indexed, which the k-th of them is, and which of
  ///     the result that is.
  int32_t kept() const { return kept_rank_; }
  int32_t kept_in_self(int32_t k) const { return kept_[k]; }
  int32_t kept_in_result(int32_t k) const { return k < broadcast_at_ ? k : k + broadcast_rank_; }

 private:
  bool at(OpArgs& args, size_t i, const BlockLoop& loop, const View& self, int32_t d,
          int32_t& offset);
  int32_t next_true(size_t i, int32_t nth);

  ArrayRef<std::optional<Tensor>> indices_;
  int32_t broadcast_rank_ = 0;
  int32_t broadcast_at_ = 0;  ///< first dimension of the result that is not kept
  int32_t kept_rank_ = 0;
  uint8_t kept_[kMaxDims] = {};  ///< dimensions of self
  /// Of each mask: its true elements, and how many of them lie before `position`.
  struct Cursor {
    int32_t count, position, before;
  } cursors_[kMaxDims] = {};
};

Selection::Selection(OpArgs& args, size_t index, const View& self, const Tensor* resized) {
  indices_ = args.optional_tensors(index, kIndexDtypes);
  if (!args.ok() || !args.check(indices_.size() <= kMaxDims, "number of indices")) {
    return;
  }
  int32_t broadcast[kMaxDims] = {};  // from the last dimension on
  int32_t d = 0;
  int32_t runs = 0;  // of neighbours that are indexed
  bool in_run = false;
  for (size_t i = 0; i < indices_.size(); ++i) {
    const std::optional<Tensor>& item = indices_.data()[i];
    if (!item.has_value()) {
      in_run = false;
      if (!args.check(d < self.rank, "number of indices")) {
        return;
      }
      kept_[kept_rank_++] = static_cast<uint8_t>(d++);
      continue;
    }
    const Tensor& tensor = *item;
    args.check(resized == nullptr || tensor.unsafeGetTensorImpl() != resized->unsafeGetTensorImpl(),
               "output: an index");
    if (!in_run && runs++ == 0) {
      broadcast_at_ = kept_rank_;
    }
    in_run = true;
    int32_t rank = static_cast<int32_t>(tensor.dim());
    const bool mask = is_mask(tensor);
    if (!args.check(mask ? rank >= 1 && rank <= self.rank - d : d < self.rank,
                    "number of indices")) {
      return;
    }
    const View view(tensor);
    int32_t count = 0;
    if (mask) {
      for (int32_t k = 0; k < rank; ++k) {
        args.check(view.sizes[k] == self.sizes[d + k], "mask shape");
      }
      for (int32_t k = 0; k < tensor.numel(); ++k) {
        count += load_int(tensor.const_data_ptr(), tensor.scalar_type(), k) != 0 ? 1 : 0;
      }
      cursors_[i].count = count;
    }
    d += mask ? rank : 1;
    rank = mask ? 1 : rank;
    for (int32_t k = 0; k < rank; ++k) {
      const int32_t size = mask ? count : view.sizes[rank - 1 - k];
      if (k >= broadcast_rank_ || broadcast[k] == 1) {
        broadcast[k] = size;
      } else {
        args.check(size == 1 || size == broadcast[k], "index shapes");
      }
    }
    broadcast_rank_ = rank > broadcast_rank_ ? rank : broadcast_rank_;
  }
  for (; d < self.rank; ++d) {
    kept_[kept_rank_++] = static_cast<uint8_t>(d);
  }
  broadcast_at_ = runs > 1 ? 0 : broadcast_at_;
  if (!args.check(rank() <= kMaxDims, "rank")) {
    return;
  }
  for (int32_t k = 0; k < rank(); ++k) {
    const int32_t b = k - broadcast_at_;
    const int32_t kept = b < 0 ? k : k - broadcast_rank_;
    sizes[k] = b >= 0 && b < broadcast_rank_ ? broadcast[broadcast_rank_ - 1 - b]
                                             : self.sizes[kept_[kept]];
  }
}

int32_t Selection::next_true(size_t i, int32_t nth) {
  const Tensor& mask = *indices_.data()[i];
  Cursor& cursor = cursors_[i];
  if (nth < cursor.before) {
    cursor = {cursor.count, 0, 0};
  }
  const View view(mask);
  for (; cursor.position < mask.numel(); ++cursor.position) {
    const int32_t at = offset_of(cursor.position, view.sizes, view.rank, view.strides);
    if (load_int(mask.const_data_ptr(), mask.scalar_type(), static_cast<size_t>(at)) == 0) {
      continue;
    }
    if (cursor.before == nth) {
      return cursor.position;
    }
    ++cursor.before;
  }
  return -1;
}

/// Adds to `offset` where the index tensor `i` points, from dimension `d` of self on.
bool Selection::at(OpArgs& args, size_t i, const BlockLoop& loop, const View& self, int32_t d,
                   int32_t& offset) {
  const Tensor& tensor = *indices_.data()[i];
  if (is_mask(tensor)) {
    // A single true element is broadcast.
    const int32_t position =
        next_true(i, cursors_[i].count == 1 ? 0 : loop.index(broadcast_rank_ - 1));
    // Fewer than before: the mask lies where the output is written.
    if (!args.check(position >= 0, "mask")) {
      return false;
    }
    const int32_t rank = static_cast<int32_t>(tensor.dim());
    offset += offset_of(position, self.sizes + d, rank, self.strides + d);
    return true;
  }
  const View view(tensor);
  int32_t at = 0;
  for (int32_t k = 0; k < view.rank; ++k) {
    if (view.sizes[k] != 1) {
      at += loop.index(broadcast_rank_ - view.rank + k) * view.strides[k];
    }
  }
  const int64_t value =
      load_int(tensor.const_data_ptr(), tensor.scalar_type(), static_cast<size_t>(at));
  const int32_t size = self.sizes[d];
  if (!args.check(value >= -size && value < size, "index")) {
    return false;
  }
  offset += static_cast<int32_t>(value < 0 ? value + size : value) * self.strides[d];
  return true;
}

template <typename Visit>
bool Selection::walk(OpArgs& args, const View& self, const View& result, Visit visit) {
  BlockLoop loop;
  for (int32_t k = 0; k < broadcast_rank_; ++k) {
    loop.add(sizes[broadcast_at_ + k], result.strides[broadcast_at_ + k]);
  }
  if (loop.empty()) {
    return true;
  }
  do {
    int32_t offset = 0;
    int32_t d = 0;
    for (size_t i = 0; i < indices_.size(); ++i) {
      const std::optional<Tensor>& item = indices_.data()[i];
      if (item.has_value() && !at(args, i, loop, self, d, offset)) {
        return false;
      }
      d += item.has_value() && is_mask(*item) ? static_cast<int32_t>(item->dim()) : 1;
    }
    visit(offset, loop.offset(0));
  } while (loop.next());
  return true;
}

/// A CopyRun that adds, in the type of both.
void add_run(int32_t count, void* to, ScalarType type, int32_t to_step, const void* from,
             ScalarType, int32_t from_step) {
  const int32_t bytes = static_cast<int32_t>(element_bytes(type));
  char* sum = static_cast<char*>(to);
  const char* more = static_cast<const char*>(from);
  for (; count > 0; --count) {
    if (type == ScalarType::Float) {
      store_float(sum, type, 0, load_float(sum, type, 0) + load_float(more, type, 0));
    } else {
      store_int(sum, type, 0, wrapping_add(load_int(sum, type, 0), load_int(more, type, 0)));
    }
    sum += static_cast<ptrdiff_t>(to_step) * bytes;
    more += static_cast<ptrdiff_t>(from_step) * bytes;
  }
}

/// (Tensor self, Tensor?[] indices, Tensor values, bool accumulate, …): out, of self's shape,
/// becomes self with `values` in place of what the indices select.
void put(OpArgs& args, const Tensor* self, const Tensor* out) {
  const Tensor* const values = args.tensor(2);
  const bool accumulate = args.boolean(3);
  check_types(args, out, self, false);
  check_types(args, out, values, false);
  if (accumulate && args.ok()) {
    args.check(is_one_of(out->scalar_type(), kComputeDtypes), "dtype");
  }
  if (!args.ok()) {
    return;
  }
  const View whole(*self);
  Selection selection(args, 1, whole, out == self ? nullptr : out);
  View from(*values);
  if (!args.ok() || !args.check(from.rank <= selection.rank(), "values shape")) {
    return;
  }
  while (from.rank < selection.rank()) {
    from.insert(args, 0, 1, 0);
  }
  for (int32_t k = 0; k < from.rank; ++k) {
    if (from.sizes[k] == 1) {
      from.strides[k] = 0;
    } else {
      args.check(from.sizes[k] == selection.sizes[k], "values shape");
    }
  }
  // First all checks, then, with the same checks again, all writing: out may lie where indices lie.
  if (!args.ok() || !selection.walk(args, whole, from, [](int32_t, int32_t) {}) ||
      !args.resize_as(out, self)) {
    return;
  }
  const View places(*out);
  if (out != self) {
    copy_view(out, places, self, whole);
  }
  View to = places;
  View part = to;
  uint32_t kept = 0;
  for (int32_t k = 0; k < selection.kept(); ++k) {
    const int32_t d = selection.kept_in_self(k);
    part.strides[d] = from.strides[selection.kept_in_result(k)];
    kept |= 1u << d;
  }
  for (int32_t d = 0; d < to.rank; ++d) {
    to.sizes[d] = (kept & 1u << d) != 0 ? to.sizes[d] : 1;
  }
  selection.walk(args, places, from, [&](int32_t offset, int32_t in_values) {
    to.offset = offset;
    part.offset = in_values;
    copy_view(out, to, values, part, accumulate ? add_run : copy_run);
  });
}

}  // namespace

void aten__index_Tensor_out(KernelRuntimeContext& ctx, Span<EValue*> arguments) {
  OpArgs args(ctx, arguments, "aten::index.Tensor_out", 3);
  const Tensor* const self = args.tensor(0);
  const Tensor* const out = args.tensor(2);
  check_types(args, out, self, false);
  if (!args.ok()) {
    return;
  }
  const View whole(*self);
  Selection selection(args, 1, whole, out);
  View from(*self);
  from.rank = selection.rank();
  if (!args.ok() || !selection.walk(args, whole, from, [](int32_t, int32_t) {}) ||
      !args.resize(out, selection.sizes, selection.rank())) {
    return;
  }
  View to(*out);
  const View places = to;
  for (int32_t k = 0; k < to.rank; ++k) {
    to.sizes[k] = 1;
  }
  for (int32_t k = 0; k < selection.kept(); ++k) {
    const int32_t in_result = selection.kept_in_result(k);
    to.sizes[in_result] = places.sizes[in_result];
    from.strides[in_result] = whole.strides[selection.kept_in_self(k)];
  }
  selection.walk(args, whole, places, [&](int32_t offset, int32_t in_out) {
    from.offset = offset;
    to.offset = in_out;
    copy_view(out, to, self, from);
  });
}

void aten__index_put_(KernelRuntimeContext& ctx, Span<EValue*> arguments) {
  OpArgs args(ctx, arguments, "aten::index_put_", 4);
  const Tensor* const self = args.tensor(0);
  put(args, self, self);
}

void aten__index_put_out(KernelRuntimeContext& ctx, Span<EValue*> arguments) {
  OpArgs args(ctx, arguments, "aten::index_put.out", 5);
  const Tensor* const self = args.tensor(0);
  put(args, self, args.tensor(4));
}

}  // namespace mcugen::ops
