// SPDX-License-Identifier: BSD-3-Clause
#include <kernels/in_place.h>
#include <ops/common/conv_args.h>

namespace mcugen::ops {

ConvArgs::ConvArgs(OpArgs& args, const Indices& indices, Layout layout, ScalarType weights_type) {
  Conv2dS8Params& p = params;
  input = args.tensor(0, ScalarType::Char);
  weights = args.tensor(1, weights_type);
  out = args.tensor(indices.out, ScalarType::Char);
  const Nhwc in = args.image(input, layout);
  const Nhwc result = args.image(out, layout);
  args.pair(3, 1, kMaxWindow, p.stride_h, p.stride_w);
  args.pair(4, 0, kMaxWindow, p.pad_top, p.pad_left);
  args.pair(indices.dilation, 1, kMaxWindow, p.dilation_h, p.dilation_w);
  // The operators' input_offset is minus the zero point; their output_offset is plus it.
  p.input_zero_point = -args.integer(indices.input_offset, -INT8_MAX, -INT8_MIN);
  p.output_zero_point = args.integer(indices.input_offset + 1, INT8_MIN, INT8_MAX);
  args.activation(indices.input_offset + 4, indices.input_offset + 5, p.activation_min,
                  p.activation_max);
  args.check(in.n == result.n, "shape");
  p.batch = in.n;
  p.in_h = in.h;
  p.in_w = in.w;
  p.in_ch = in.c;
  p.out_h = result.h;
  p.out_w = result.w;
  p.out_ch = result.c;
  p.groups = 1;
}

void ConvArgs::read_weights(OpArgs& args, const Indices& indices, int32_t outermost,
                            int32_t innermost) {
  if (!args.ok() || !args.check(weights->dim() == 4, "rank")) {
    return;
  }
  args.contiguous(weights);
  const int32_t* const sizes = sizes_of(*weights);
  args.check(sizes[0] == outermost && sizes[3] == innermost && sizes[1] >= 1 &&
                 sizes[1] <= kMaxWindow && sizes[2] >= 1 && sizes[2] <= kMaxWindow,
             "weight shape");
  params.kernel_h = sizes[1];
  params.kernel_w = sizes[2];
  bias = args.optional_s32(2, params.out_ch);
  args.channel_scaling(indices.input_offset + 2, params.out_ch, params.multipliers, params.shifts);
}

bool ConvArgs::check_output(OpArgs& args) const {
  const Conv2dS8Params& p = params;
  return args.ok() && args.check(p.out_h == window_outputs(p.in_h, p.pad_top, p.dilation_h,
                                                           p.kernel_h, p.stride_h) &&
                                     p.out_w == window_outputs(p.in_w, p.pad_left, p.dilation_w,
                                                               p.kernel_w, p.stride_w),
                                 "output shape");
}

bool ConvArgs::check_in_place(OpArgs& args, int32_t unit) const {
  if (!check_output(args)) {
    return false;
  }
  const auto in = reinterpret_cast<intptr_t>(input->const_data_ptr());
  const auto to = reinterpret_cast<intptr_t>(out->const_data_ptr());
  if (to >= in + static_cast<intptr_t>(input->nbytes()) ||
      in >= to + static_cast<intptr_t>(out->nbytes())) {
    return true;
  }
  return args.check(params.batch == 1 && unit != 0 && in - to >= in_place_distance(params) &&
                        (in - to) % unit == 0,
                    "place of the output");
}

}  // namespace mcugen::ops
