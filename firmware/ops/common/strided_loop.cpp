// SPDX-License-Identifier: BSD-3-Clause
#include <kernels/select.h>
#include <ops/common/strided_loop.h>

namespace mcugen::ops {

StridedLoop::StridedLoop(OpArgs& args, const Tensor* out, const Tensor* a, const Tensor* b) {
  if (!args.ok()) {
    return;
  }
  const Tensor* const inputs[2] = {a, b};
  const int32_t* const out_sizes = sizes_of(*out);
  int32_t strides[2][kMaxDims] = {};
  uint32_t as_large = 0;  // bit d: an input has the output's size there
  for (int32_t i = 0; i < 2 && inputs[i] != nullptr; ++i) {
    const int32_t missing = static_cast<int32_t>(out->dim() - inputs[i]->dim());
    if (!args.check(missing >= 0, "shape")) {
      return;
    }
    const int32_t* const sizes = sizes_of(*inputs[i]);
    strides_of(*inputs[i], strides[i] + missing);
    for (int32_t d = missing; d < out->dim(); ++d) {
      const int32_t size = sizes[d - missing];
      if (size == out_sizes[d]) {
        as_large |= 1u << d;
      } else {
        args.check(size == 1, "shape");
      }
      if (size == 1) {
        strides[i][d] = 0;
      }
    }
  }
  for (int32_t d = 0; d < out->dim(); ++d) {
    args.check(out_sizes[d] == 1 || (as_large & (1u << d)) != 0, "output shape");
  }
  order(out, strides);
}

StridedLoop::StridedLoop(OpArgs& args, const Tensor* out, const Tensor* in, const int32_t* dims) {
  if (!args.ok() || !args.check(out->dim() == in->dim(), "rank")) {
    return;
  }
  int32_t in_strides[kMaxDims];
  strides_of(*in, in_strides);
  int32_t strides[2][kMaxDims] = {};
  for (int32_t d = 0; d < out->dim(); ++d) {
    if (!args.check(sizes_of(*out)[d] == sizes_of(*in)[dims[d]], "shape")) {
      return;
    }
    strides[0][d] = in_strides[dims[d]];
  }
  order(out, strides);
}

void StridedLoop::order(const Tensor* out, const int32_t strides[2][kMaxDims]) {
  if (out->numel() == 0) {
    return;  // rank 1, size 0
  }
  const uint8_t* const dim_order = order_of(*out);
  int32_t last = -1;
  for (int32_t i = 0; i < out->dim(); ++i) {
    const int32_t d = dim_order[i];
    const int32_t size = sizes_of(*out)[d];
    if (size == 1) {
      continue;
    }
    const bool continues_last = last >= 0 && strides_[0][last] == strides[0][d] * size &&
                                strides_[1][last] == strides[1][d] * size;
    if (continues_last) {
      sizes_[last] *= size;
    } else {
      sizes_[++last] = size;
    }
    strides_[0][last] = strides[0][d];
    strides_[1][last] = strides[1][d];
  }
  if (last < 0) {  // a single element
    last = 0;
    sizes_[0] = 1;
    strides_[0][0] = 1;
    strides_[1][0] = 1;
  }
  rank_ = last + 1;
}

bool StridedLoop::next(int32_t inner) {
  for (int32_t d = rank_ - 1 - inner; d >= 0; --d) {
    offsets_[0] += strides_[0][d];
    offsets_[1] += strides_[1][d];
    if (++index_[d] < sizes_[d]) {
      return true;
    }
    offsets_[0] -= strides_[0][d] * sizes_[d];
    offsets_[1] -= strides_[1][d] * sizes_[d];
    index_[d] = 0;
  }
  return false;
}

void copy_elements(OpArgs& args, const Tensor* out, const Tensor* in, const int32_t* dims) {
  static constexpr int32_t kSame[kMaxDims] = {0, 1, 2, 3, 4, 5, 6, 7};
  if (!args.ok() || !args.check(out->scalar_type() == in->scalar_type(), "dtype")) {
    return;
  }
  StridedLoop loop(args, out, in, dims != nullptr ? dims : kSame);
  if (!args.ok() || out->numel() == 0) {
    return;
  }
  const int32_t bytes = static_cast<int32_t>(out->nbytes() / static_cast<size_t>(out->numel()));
  const char* const from = in->const_data_ptr<char>();
  char* to = out->mutable_data_ptr<char>();
  const int32_t run = loop.run();
  if (run < kShortRun && run < loop.runs()) {  // all first elements, all second ones, and so on
    do {
      for (int32_t i = 0; i < run; ++i) {
        const int32_t at = loop.offset(0) + i * loop.step(0);
        strided_copy(bytes, loop.runs(), from + static_cast<ptrdiff_t>(at) * bytes,
                     loop.run_step(0), to + static_cast<ptrdiff_t>(i) * bytes, run);
      }
      to += static_cast<ptrdiff_t>(run) * loop.runs() * bytes;
    } while (loop.next(2));
    return;
  }
  do {
    gather(bytes, run, from + static_cast<ptrdiff_t>(loop.offset(0)) * bytes, loop.step(0), to);
    to += static_cast<ptrdiff_t>(run) * bytes;
  } while (loop.next());
}

}  // namespace mcugen::ops
