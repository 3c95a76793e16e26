// SPDX-License-Identifier: BSD-3-Clause
#include <kernels/select.h>
#include <ops/ops.h>

namespace mcugen::ops {
namespace {

/// Limits `input`; an index of 0 is a limit that the operator does not have.
void clamp_out(OpArgs& args, size_t min_index, size_t max_index, float min, float max,
               size_t out_index) {
  const Tensor* const input = args.tensor(0);
  const Tensor* const out = args.tensor(out_index);
  args.alike(input, out);
  if (!args.ok() || !args.check(input->scalar_type() == out->scalar_type(), "dtype")) {
    return;
  }
  const bool has_min = min_index != 0 && !args.is_none(min_index);
  const bool has_max = max_index != 0 && !args.is_none(max_index);
  const int32_t count = static_cast<int32_t>(out->numel());
  if (out->scalar_type() == ScalarType::Float) {
    min = has_min ? static_cast<float>(args.number(min_index)) : min;
    max = has_max ? static_cast<float>(args.number(max_index)) : max;
    if (args.ok() && args.check(min == min && max == max, "limit")) {
      clamp_f32(count, input->const_data_ptr<float>(), min, max, out->mutable_data_ptr<float>());
    }
    return;
  }
  if (!args.check(out->scalar_type() == ScalarType::Char, "dtype")) {
    return;
  }
  const int32_t low = has_min ? args.saturated_integer(min_index)
                              : (min > -128.0f ? static_cast<int32_t>(min) : INT8_MIN);
  const int32_t high = has_max ? args.saturated_integer(max_index)
                               : (max < 127.0f ? static_cast<int32_t>(max) : INT8_MAX);
  // A limit on the far side of int8 cannot be reached; one on the near side limits nothing.
  if (args.ok() && args.check(low <= INT8_MAX && high >= INT8_MIN, "limit")) {
    clamp_s8(count, input->const_data_ptr<int8_t>(),
             static_cast<int8_t>(low < INT8_MIN ? INT8_MIN : low),
             static_cast<int8_t>(high > INT8_MAX ? INT8_MAX : high),
             out->mutable_data_ptr<int8_t>());
  }
}

}  // namespace

void aten__clamp_out(KernelRuntimeContext& ctx, Span<EValue*> arguments) {
  OpArgs args(ctx, arguments, "aten::clamp.out", 4);
  clamp_out(args, 1, 2, -__builtin_inff(), __builtin_inff(), 3);
}

void aten__hardtanh_out(KernelRuntimeContext& ctx, Span<EValue*> arguments) {
  OpArgs args(ctx, arguments, "aten::hardtanh.out", 4);
  if (args.check(!args.is_none(1) && !args.is_none(2), "limit")) {
    clamp_out(args, 1, 2, 0.0f, 0.0f, 3);
  }
}

void aten__relu_out(KernelRuntimeContext& ctx, Span<EValue*> arguments) {
  OpArgs args(ctx, arguments, "aten::relu.out", 2);
  clamp_out(args, 0, 0, 0.0f, __builtin_inff(), 1);
}

}  // namespace mcugen::ops
