// SPDX-License-Identifier: BSD-3-Clause
#include <kernels/select.h>
#include <ops/quantized/operators.h>

namespace mcugen::ops {
namespace {

/// The exporter gives the padding of 4-D tensors in memory order if it takes them for
/// channels-last. Its rule, which is about more than layout: `is_channels_last` in ExecuTorch's
/// cortex_m/passes/passes_utils.py.
bool exporter_sees_channels_last(const Tensor& tensor) {
  const int32_t* const sizes = sizes_of(tensor);
  const uint8_t* const order = order_of(tensor);
  return tensor.dim() == 4 &&
         (sizes[1] == 1 || (sizes[2] == 1 && sizes[3] == 1) || (order[0] == 0 && order[1] == 2));
}

}  // namespace

void cortex_m__pad_out(KernelRuntimeContext& ctx, Span<EValue*> arguments) {
  static constexpr uint8_t kNhwc[4] = {0, 2, 3, 1};
  static constexpr uint8_t kAscending[4] = {0, 1, 2, 3};
  OpArgs args(ctx, arguments, "cortex_m::pad.out", 5);
  const Tensor* const input = args.tensor(0, ScalarType::Char);
  const Tensor* const out = args.tensor(4, ScalarType::Char);
  const auto pre = args.ints(1, 4);
  const auto post = args.ints(2, 4);
  PadS8Params p{};
  p.value = static_cast<int8_t>(args.integer(3, INT8_MIN, INT8_MAX));
  if (!args.ok() ||
      !args.check(input->dim() >= 1 && input->dim() <= 4 && out->dim() == input->dim(), "rank")) {
    return;
  }
  const uint8_t* const order = exporter_sees_channels_last(*input) ? kNhwc : kAscending;
  args.check(lies_as(*input, order) && lies_as(*out, order), "layout");

  // The last dimensions of the four are the tensor's; those before it have size 1.
  const int32_t missing = 4 - static_cast<int32_t>(input->dim());
  for (int32_t i = 0; i < 4; ++i) {
    if (!args.check(pre[i] >= 0 && pre[i] <= kMaxExtent && post[i] >= 0 && post[i] <= kMaxExtent,
                    "padding")) {
      return;
    }
    p.pre[i] = static_cast<int32_t>(pre[i]);
    p.post[i] = static_cast<int32_t>(post[i]);
    p.in_size[i] = i < missing ? 1 : sizes_of(*input)[order[i - missing]];
    const int32_t out_size = i < missing ? 1 : sizes_of(*out)[order[i - missing]];
    args.check(p.in_size[i] <= kMaxExtent && out_size == p.pre[i] + p.in_size[i] + p.post[i],
               "output shape");
  }
  if (args.ok() && out->numel() != 0) {
    pad_s8(p, input->const_data_ptr<int8_t>(), out->mutable_data_ptr<int8_t>());
  }
}

}  // namespace mcugen::ops
