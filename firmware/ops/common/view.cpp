// SPDX-License-Identifier: BSD-3-Clause
#include <kernels/select.h>
#include <ops/common/view.h>

#include <utility>

namespace mcugen::ops {

View::View(const Tensor& tensor) : rank(static_cast<int32_t>(tensor.dim())) {
  const int32_t* const tensor_sizes = sizes_of(tensor);
  const uint8_t* const order = order_of(tensor);
  // Without elements the products of sizes may be anything.
  int32_t stride = tensor.numel() == 0 ? 0 : 1;
  for (int32_t i = rank - 1; i >= 0; --i) {
    const int32_t d = order[i];
    sizes[d] = tensor_sizes[d];
    strides[d] = stride;
    stride *= tensor_sizes[d];
  }
}

void View::remove(int32_t d) {
  --rank;
  for (; d < rank; ++d) {
    sizes[d] = sizes[d + 1];
    strides[d] = strides[d + 1];
  }
}

void View::insert(OpArgs& args, int32_t d, int32_t size, int32_t stride) {
  if (!args.check(rank < kMaxDims, "rank")) {
    return;
  }
  for (int32_t i = rank++; i > d; --i) {
    sizes[i] = sizes[i - 1];
    strides[i] = strides[i - 1];
  }
  sizes[d] = size;
  strides[d] = stride;
}

void View::narrow(int32_t d, int32_t start, int32_t size, int32_t step) {
  sizes[d] = size;
  if (size != 0) {
    offset += start * strides[d];
  }
  if (size > 1) {  // else the step is of no use, and may be huge
    strides[d] *= step;
  }
}

void copy_run(int32_t count, void* to, ScalarType to_type, int32_t to_step, const void* from,
              ScalarType, int32_t from_step) {
  const int32_t bytes = static_cast<int32_t>(element_bytes(to_type));
  if (to_step == 1) {
    gather(bytes, count, from, from_step, to);
    return;
  }
  strided_copy(bytes, count, from, from_step, to, to_step);
}

void convert_run(int32_t count, void* to, ScalarType to_type, int32_t to_step, const void* from,
                 ScalarType from_type, int32_t from_step) {
  if (to_type == from_type) {
    copy_run(count, to, to_type, to_step, from, from_type, from_step);
    return;
  }
  char* out = static_cast<char*>(to);
  const char* in = static_cast<const char*>(from);
  for (; count > 0; --count) {
    if (is_integral(from_type)) {
      store_int(out, to_type, 0, load_int(in, from_type, 0));
    } else {
      store_float(out, to_type, 0, load_float(in, from_type, 0));
    }
    out += static_cast<ptrdiff_t>(to_step) * static_cast<ptrdiff_t>(element_bytes(to_type));
    in += static_cast<ptrdiff_t>(from_step) * static_cast<ptrdiff_t>(element_bytes(from_type));
  }
}

void check_types(OpArgs& args, const Tensor* out, const Tensor* in, bool convert) {
  if (args.ok()) {
    args.check(out->scalar_type() == in->scalar_type() ||
                   (convert && is_one_of(out->scalar_type(), kComputeDtypes) &&
                    is_one_of(in->scalar_type(), kComputeDtypes)),
               "dtype");
  }
}

void BlockLoop::add(int32_t size, int32_t stride0, int32_t stride1, int32_t stride2) {
  empty_ = empty_ || size == 0;
  sizes_[rank_] = size;
  strides_[0][rank_] = stride0;
  strides_[1][rank_] = stride1;
  strides_[2][rank_] = stride2;
  ++rank_;
}

bool BlockLoop::next(int32_t inner) {
  for (int32_t d = rank_ - 1 - inner; d >= 0; --d) {
    const int32_t back = ++index_[d] < sizes_[d] ? 0 : sizes_[d];
    for (int32_t i = 0; i < 3; ++i) {
      offsets_[i] += strides_[i][d] - strides_[i][d] * back;
    }
    if (back == 0) {
      return true;
    }
    index_[d] = 0;
  }
  return false;
}

void BlockLoop::add_merged(int32_t size, int32_t stride0, int32_t stride1) {
  if (size == 1) {
    return;
  }
  const int32_t last = rank_ - 1;
  if (last >= 0 && strides_[0][last] == stride0 * size && strides_[1][last] == stride1 * size) {
    sizes_[last] *= size;
    strides_[0][last] = stride0;
    strides_[1][last] = stride1;
    return;
  }
  add(size, stride0, stride1);
}

void BlockLoop::lengthen_run() {
  const int32_t last = rank_ - 1;
  if (last < 1 || sizes_[last] >= kShortRun || sizes_[last] >= sizes_[last - 1]) {
    return;
  }
  std::swap(sizes_[last], sizes_[last - 1]);
  for (int32_t i = 0; i < 3; ++i) {
    std::swap(strides_[i][last], strides_[i][last - 1]);
  }
}

void copy_view(const Tensor* out, const View& to, const Tensor* in, const View& from, CopyRun run) {
  for (int32_t d = 0; d < to.rank; ++d) {
    if (to.sizes[d] == 0) {
      return;
    }
  }
  const uint8_t* const order = order_of(*out);
  BlockLoop loop;
  for (int32_t i = 0; i < to.rank; ++i) {
    loop.add_merged(to.sizes[order[i]], to.strides[order[i]], from.strides[order[i]]);
  }
  loop.lengthen_run();
  do {
    run(loop.run(), element(out, to.offset + loop.offset(0)), out->scalar_type(), loop.step(0),
        element(in, from.offset + loop.offset(1)), in->scalar_type(), loop.step(1));
  } while (loop.next(1));
}

void copy_whole(OpArgs& args, const Tensor* out, const Tensor* in, const View& view) {
  check_types(args, out, in, false);
  if (args.ok() && args.resize(out, view.sizes, view.rank)) {
    copy_view(out, View(*out), in, view);
  }
}

void select_argument(OpArgs& args, size_t first, View& view) {
  const int32_t d = args.dim(first, view.rank);
  if (!args.ok() || !args.check(view.rank != 0, "rank")) {
    return;
  }
  const int32_t size = view.sizes[d];
  const int64_t index = args.int64(first + 1);
  if (args.ok() && args.check(index >= -size && index < size, "index")) {
    view.narrow(d, static_cast<int32_t>(index < 0 ? index + size : index), 1);
    view.remove(d);
  }
}

void slice_arguments(OpArgs& args, size_t first, View& view) {
  const int32_t d = args.dim(first, view.rank);
  if (!args.ok() || !args.check(view.rank != 0, "rank")) {
    return;
  }
  const int32_t size = view.sizes[d];
  int64_t ends[2] = {args.optional_int64(first + 1, 0), args.optional_int64(first + 2, INT64_MAX)};
  for (int64_t& end : ends) {
    if (end < 0) {
      end += size;
    }
    end = end < 0 ? 0 : end > size ? size : end;
  }
  const int64_t step = args.int64(first + 3);
  if (!args.ok() || !args.check(step > 0, "step")) {
    return;
  }
  const int64_t length = ends[1] > ends[0] ? ends[1] - ends[0] : 0;
  const int64_t count = length / step + (length % step != 0 ? 1 : 0);
  view.narrow(d, static_cast<int32_t>(ends[0]), static_cast<int32_t>(count),
              static_cast<int32_t>(count > 1 ? step : 1));
}

int32_t as_size(OpArgs& args, int64_t value) {
  return args.check(value >= 0 && value <= INT32_MAX, "size") ? static_cast<int32_t>(value) : 0;
}

int32_t size_arguments(OpArgs& args, size_t index, int32_t* sizes) {
  const auto list = args.ints(index, -1);
  if (!args.ok() || !args.check(list.size() <= kMaxDims, "rank")) {
    return 0;
  }
  for (size_t d = 0; d < list.size(); ++d) {
    sizes[d] = as_size(args, list.data()[d]);
  }
  return static_cast<int32_t>(list.size());
}

int32_t view_arguments(OpArgs& args, size_t index, const Tensor* self, int32_t* sizes) {
  const auto size = args.ints(index, -1);
  if (!args.ok() || !args.check(size.size() <= kMaxDims, "rank")) {
    return 0;
  }
  const int32_t numel = static_cast<int32_t>(self->numel());
  int32_t left = -1;  // which is to be found
  int32_t known = 1;
  for (size_t d = 0; d < size.size(); ++d) {
    if (size.data()[d] == -1 && left < 0) {
      left = static_cast<int32_t>(d);
      continue;
    }
    sizes[d] = as_size(args, size.data()[d]);
    if (__builtin_mul_overflow(known, sizes[d], &known)) {
      known = -1;  // no number of elements; times 0 it may become one again
    }
  }
  if (left >= 0 && args.check(known > 0 && numel % known == 0, "shape")) {
    sizes[left] = numel / known;
    known = numel;
  }
  args.check(known == numel, "shape");
  return static_cast<int32_t>(size.size());
}

void element_argument(OpArgs& args, size_t index, ScalarType dtype, void* element) {
  const Number number = args.scalar(index);
  if (!args.ok()) {
    return;
  }
  if (dtype == ScalarType::Float && number.dtype == ScalarType::Float) {
    store_float(element, dtype, 0, static_cast<float>(number.real));
  } else if (dtype == ScalarType::Bool) {
    store_int(element, dtype, 0, number.real != 0 ? 1 : 0);
  } else if (args.check(
                 dtype == ScalarType::Float || wrap_int(number.integer, dtype) == number.integer,
                 "value")) {
    store_int(element, dtype, 0, number.integer);
  }
}

}  // namespace mcugen::ops
