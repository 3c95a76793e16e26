// SPDX-License-Identifier: BSD-3-Clause
#include <kernels/select.h>
#include <ops/common/view.h>
#include <ops/shape/operators.h>

namespace mcugen::ops {
namespace {

/// (Tensor self, int factor, Tensor(a!) out): exchanges channels for resolution. Seen as
/// [..., C, factor, factor, H, W], the small image's channels are three dimensions; the large
/// one's H and W are two each.
void shuffle(KernelRuntimeContext& ctx, Span<EValue*> arguments, const char* op, bool enlarge) {
  OpArgs args(ctx, arguments, op, 3);
  const Tensor* const self = args.tensor(0);
  const Tensor* const out = args.tensor(2);
  const int32_t factor = args.integer(1, 1, kMaxWindow);
  check_types(args, out, self, false);
  if (!args.ok() || !args.check(self->dim() >= 3, "rank")) {
    return;
  }
  const View from(*self);
  const int32_t c = from.rank - 3;
  const int32_t square = factor * factor;
  int32_t sizes[kMaxDims];
  for (int32_t d = 0; d < from.rank; ++d) {
    const int32_t by = d < c ? 1 : d == c ? square : factor;
    if (d < c || (d == c) != enlarge) {
      sizes[d] = as_size(args, static_cast<int64_t>(from.sizes[d]) * by);
    } else {
      args.check(from.sizes[d] % by == 0, "shape");
      sizes[d] = from.sizes[d] / by;
    }
  }
  if (!args.resize(out, sizes, from.rank) || out->numel() == 0) {
    return;
  }
  const View to(*out);
  const View& large = enlarge ? to : from;
  const View& small = enlarge ? from : to;
  const int32_t in = enlarge ? 0 : 1;  // which operand of the loop is the large image
  BlockLoop loop;
  const auto add = [&](int32_t size, int32_t of_large, int32_t of_small) {
    loop.add_merged(size, in == 0 ? of_large : of_small, in == 0 ? of_small : of_large);
  };
  for (int32_t d = 0; d <= c; ++d) {
    add(large.sizes[d], large.strides[d], d < c ? small.strides[d] : small.strides[d] * square);
  }
  for (int32_t d = c + 1; d < from.rank; ++d) {
    const int32_t channels = d == c + 1 ? factor : 1;
    add(small.sizes[d], large.strides[d] * factor, small.strides[d]);
    add(factor, large.strides[d], small.strides[c] * channels);
  }
  do {
    copy_run(loop.run(), element(out, loop.offset(0)), out->scalar_type(), loop.step(0),
             element(self, loop.offset(1)), self->scalar_type(), loop.step(1));
  } while (loop.next(1));
}

}  // namespace

void aten__pixel_shuffle_out(KernelRuntimeContext& ctx, Span<EValue*> args) {
  shuffle(ctx, args, "aten::pixel_shuffle.out", true);
}

void aten__pixel_unshuffle_out(KernelRuntimeContext& ctx, Span<EValue*> args) {
  shuffle(ctx, args, "aten::pixel_unshuffle.out", false);
}

}  // namespace mcugen::ops
