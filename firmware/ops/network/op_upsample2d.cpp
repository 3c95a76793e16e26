// SPDX-License-Identifier: BSD-3-Clause
#include <kernels/select.h>
#include <ops/common/view.h>
#include <ops/network/network_args.h>
#include <ops/network/operators.h>

namespace mcugen::ops {
namespace {

/// Input, output and what their sizes, or the scale factors, say about each axis.
struct Upsample {
  Image in{};
  Image to{};
  Resample rows{};
  Resample columns{};
};

/// Reads output_size and scale_factors, one of which is None.
/// @returns whether all is well and `out` has its shape.
bool read_upsample(OpArgs& args, Span<EValue*> arguments, size_t factors_index, const Tensor* input,
                   const Tensor* out, bool align_corners, Upsample& up) {
  up.in = image_of(args, input, Rank3::kImage);
  if (!args.ok() || !args.check(input->dim() == 4, "rank") ||
      !args.check(args.is_none(1) != args.is_none(factors_index),
                  "output_size: give it or factors")) {
    return false;
  }
  const int32_t in[2] = {up.in.h, up.in.w};
  int32_t to[2] = {};
  float scales[2] = {};
  const bool sized = !args.is_none(1);
  if (sized) {
    args.pair(1, 1, kMaxExtent, to[0], to[1]);
  } else {
    const auto factors = arguments[factors_index]->tryToDoubleList();
    if (!args.check(factors.ok() && factors->size() == 2, "scale_factors")) {
      return false;
    }
    for (int32_t i = 0; i < 2; ++i) {
      const double size = static_cast<double>(in[i]) * factors->data()[i];
      if (!args.check(size >= 1 && size <= kMaxExtent, "scale_factors")) {
        return false;
      }
      to[i] = static_cast<int32_t>(size);
      scales[i] = static_cast<float>(1.0 / factors->data()[i]);
    }
  }
  if (!args.ok()) {
    return false;
  }
  for (int32_t i = 0; i < 2; ++i) {
    if (align_corners) {
      scales[i] = to[i] > 1 ? static_cast<float>(in[i] - 1) / static_cast<float>(to[i] - 1) : 0.0f;
    } else if (sized) {
      scales[i] = static_cast<float>(in[i]) / static_cast<float>(to[i]);
    }
  }
  up.rows = {scales[0], align_corners};
  up.columns = {scales[1], align_corners};
  const int32_t sizes[4] = {up.in.n, up.in.c, to[0], to[1]};
  if (!args.resize(out, sizes, 4)) {
    return false;
  }
  up.to = image_of(args, out, Rank3::kImage);
  return args.ok();
}

}  // namespace

void aten__upsample_nearest2d_vec_out(KernelRuntimeContext& ctx, Span<EValue*> arguments) {
  OpArgs args(ctx, arguments, "aten::upsample_nearest2d.vec_out", 4);
  const Tensor* const input = args.tensor(0);
  const Tensor* const out = args.tensor(3);
  check_types(args, out, input, false);
  Upsample up;
  if (!read_upsample(args, arguments, 2, input, out, false, up)) {
    return;
  }
  for (int32_t n = 0; n < up.to.n; ++n) {
    for (int32_t y = 0; y < up.to.h; ++y) {
      const int32_t row = n * up.in.n_step + nearest_pixel(up.rows, y, up.in.h) * up.in.h_step;
      for (int32_t x = 0; x < up.to.w; ++x) {
        const int32_t from = row + nearest_pixel(up.columns, x, up.in.w) * up.in.w_step;
        const int32_t to = n * up.to.n_step + y * up.to.h_step + x * up.to.w_step;
        copy_run(up.to.c, element(out, to), out->scalar_type(), up.to.c_step, element(input, from),
                 input->scalar_type(), up.in.c_step);
      }
    }
  }
}

void aten__upsample_bilinear2d_vec_out(KernelRuntimeContext& ctx, Span<EValue*> arguments) {
  OpArgs args(ctx, arguments, "aten::upsample_bilinear2d.vec_out", 5);
  const Tensor* const input = args.tensor(0, ScalarType::Float);
  const bool align_corners = args.boolean(2);
  const Tensor* const out = args.tensor(4, ScalarType::Float);
  Upsample up;
  if (read_upsample(args, arguments, 3, input, out, align_corners, up)) {
    upsample_bilinear2d_f32(up.in, up.to, up.rows, up.columns, input->const_data_ptr<float>(),
                            out->mutable_data_ptr<float>());
  }
}

}  // namespace mcugen::ops
