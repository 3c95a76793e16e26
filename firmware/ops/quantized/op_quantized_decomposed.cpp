// SPDX-License-Identifier: BSD-3-Clause
#include <kernels/quantize.h>
#include <kernels/select.h>
#include <ops/common/view.h>
#include <ops/quantized/operators.h>
#include <ops/quantized/quantized_args.h>

namespace mcugen::ops {
namespace {

/// Which elements share a scale and a zero point.
enum class Sharing : uint8_t { kTensor, kChannel, kToken };

/// A call between float and a quantized type.
struct Conversion {
  bool quantizing;
  Sharing sharing;
  const Tensor* input;
  const Tensor* out;
  double scale = 1;  ///< Without a tensor of scales.
  int32_t zero_point = 0;
  const Tensor* scales = nullptr;
  const Tensor* zero_points = nullptr;  ///< Null: zeros, or zero_point
  int32_t axis = 0;                     ///< Of channels.
  QuantRange range{};
};

/// Checks that a tensor has one element for each channel, token, or the whole tensor.
void check_parameter(OpArgs& args, const Conversion& c, const Tensor* parameter) {
  if (!args.ok() || parameter == nullptr) {
    return;
  }
  const int32_t* const sizes = sizes_of(*c.input);
  const int32_t last = static_cast<int32_t>(c.input->dim()) - 1;
  bool fits = parameter->numel() == 1;
  if (c.sharing == Sharing::kChannel) {
    fits = parameter->dim() == 1 && last >= 0 && sizes_of(*parameter)[0] == sizes[c.axis];
  } else if (c.sharing == Sharing::kToken) {
    fits = last >= 0 && parameter->dim() == last + 1 && sizes_of(*parameter)[last] == 1;
    for (int32_t d = 0; fits && d < last; ++d) {
      fits = sizes_of(*parameter)[d] == sizes[d];
    }
  }
  args.check(fits, "shape of a parameter");
  args.contiguous(parameter);
}

void convert(OpArgs& args, const Conversion& c) {
  check_parameter(args, c, c.scales);
  check_parameter(args, c, c.zero_points);
  if (!args.ok()) {
    return;
  }
  const int32_t parameters = c.scales == nullptr ? 1 : static_cast<int32_t>(c.scales->numel());
  for (int32_t i = 0; i < parameters; ++i) {
    const double scale = c.scales == nullptr ? c.scale : load_scale(c.scales, i);
    if (!args.check(c.quantizing ? is_divisor(scale) : is_finite(scale), "scale")) {
      return;
    }
  }
  if (!args.resize_as(c.out, c.input) || c.out->numel() == 0) {
    return;
  }
  const View from(*c.input);
  const View to(*c.out);
  int32_t steps[kMaxDims] = {};
  if (c.sharing == Sharing::kChannel) {
    steps[c.axis] = 1;
  } else if (c.sharing == Sharing::kToken) {
    int32_t step = 1;
    for (int32_t d = from.rank - 2; d >= 0; --d) {
      steps[d] = step;
      step *= from.sizes[d];
    }
  }
  BlockLoop loop;
  for (int32_t d = 0; d < from.rank; ++d) {
    loop.add(from.sizes[d], from.strides[d], to.strides[d], steps[d]);
  }
  int32_t present = -1;
  float factor = 0;
  int32_t zero_point = c.zero_point;
  do {
    if (loop.offset(2) != present) {
      present = loop.offset(2);
      const double scale = c.scales == nullptr ? c.scale : load_scale(c.scales, present);
      factor = static_cast<float>(c.quantizing ? reciprocal(scale) : scale);
      if (c.zero_points != nullptr) {
        zero_point = load_zero_point(c.zero_points, present);
      }
    }
    if (c.quantizing) {
      store_quantized(c.out, loop.offset(1),
                      quantize_f32(c.input->const_data_ptr<float>()[loop.offset(0)], factor,
                                   zero_point, c.range.min, c.range.max));
    } else {
      c.out->mutable_data_ptr<float>()[loop.offset(1)] =
          dequantize_f32(load_quantized(c.input, loop.offset(0)), factor, zero_point);
    }
  } while (loop.next());
}

/// Where the arguments of one operator stand; -1: it has none.
struct Places {
  int8_t scale, zero_point, axis, range, out_dtype, out;
};

void run(OpArgs& args, bool quantizing, Sharing sharing, const Places& at) {
  Conversion c{};
  c.quantizing = quantizing;
  c.sharing = sharing;
  const uint32_t quantized = kQuantizedDtypes;
  c.input = args.tensor_of(0, quantizing ? kFloatDtypes : quantized);
  c.out = args.tensor_of(static_cast<size_t>(at.out), quantizing ? quantized : kFloatDtypes);
  const size_t scale = static_cast<size_t>(at.scale);
  const size_t zero_point = static_cast<size_t>(at.zero_point);
  if (at.axis == 0) {  // numbers, not tensors
    c.scale = args.number(scale);
    c.zero_point = args.integer(zero_point, INT32_MIN, INT32_MAX);
  } else {
    c.scales = args.tensor_of(scale, kScaleDtypes);
    c.zero_points = args.optional_tensor_of(zero_point, kZeroPointDtypes);
    // Only dequantize_per_channel takes None.
    args.check(c.zero_points != nullptr || (!quantizing && sharing == Sharing::kChannel),
               "zero_points");
  }
  if (!args.ok()) {
    return;
  }
  if (sharing == Sharing::kChannel) {
    c.axis = args.dim(static_cast<size_t>(at.axis), static_cast<int32_t>(c.input->dim()));
  }
  const ScalarType dtype = (quantizing ? c.out : c.input)->scalar_type();
  const size_t range = static_cast<size_t>(at.range);
  c.range = quant_range(args, range, dtype);
  args.check(args.integer(range + 2, 0, 31) == static_cast<int32_t>(dtype), "dtype");
  if (at.out_dtype > 0) {
    args.check(sharing != Sharing::kToken || !args.is_none(static_cast<size_t>(at.out_dtype)),
               "output_dtype");
    args.optional_dtype(static_cast<size_t>(at.out_dtype), ScalarType::Float, kFloatDtypes);
  }
  convert(args, c);
}

}  // namespace

// Places: scale, zero point, axis (0: scale and zero point are numbers, -1: tensors), quant_min,
// out_dtype, out.

void quantized_decomposed__quantize_per_tensor_out(KernelRuntimeContext& ctx,
                                                   Span<EValue*> arguments) {
  OpArgs args(ctx, arguments, "quantized_decomposed::quantize_per_tensor.out", 7);
  run(args, true, Sharing::kTensor, {1, 2, 0, 3, -1, 6});
}

void quantized_decomposed__quantize_per_tensor_Tensor_out(KernelRuntimeContext& ctx,
                                                          Span<EValue*> arguments) {
  OpArgs args(ctx, arguments, "quantized_decomposed::quantize_per_tensor.Tensor_out", 7);
  run(args, true, Sharing::kTensor, {1, 2, -1, 3, -1, 6});
}

void quantized_decomposed__quantize_per_channel_out(KernelRuntimeContext& ctx,
                                                    Span<EValue*> arguments) {
  OpArgs args(ctx, arguments, "quantized_decomposed::quantize_per_channel.out", 8);
  run(args, true, Sharing::kChannel, {1, 2, 3, 4, -1, 7});
}

void quantized_decomposed__quantize_per_token_out(KernelRuntimeContext& ctx,
                                                  Span<EValue*> arguments) {
  OpArgs args(ctx, arguments, "quantized_decomposed::quantize_per_token.out", 7);
  run(args, true, Sharing::kToken, {1, 2, -1, 3, -1, 6});
}

void quantized_decomposed__dequantize_per_tensor_out(KernelRuntimeContext& ctx,
                                                     Span<EValue*> arguments) {
  OpArgs args(ctx, arguments, "quantized_decomposed::dequantize_per_tensor.out", 8);
  run(args, false, Sharing::kTensor, {1, 2, 0, 3, 6, 7});
}

void quantized_decomposed__dequantize_per_tensor_Tensor_out(KernelRuntimeContext& ctx,
                                                            Span<EValue*> arguments) {
  OpArgs args(ctx, arguments, "quantized_decomposed::dequantize_per_tensor.Tensor_out", 8);
  run(args, false, Sharing::kTensor, {1, 2, -1, 3, 6, 7});
}

void quantized_decomposed__dequantize_per_channel_out(KernelRuntimeContext& ctx,
                                                      Span<EValue*> arguments) {
  OpArgs args(ctx, arguments, "quantized_decomposed::dequantize_per_channel.out", 9);
  run(args, false, Sharing::kChannel, {1, 2, 3, 4, 7, 8});
}

void quantized_decomposed__dequantize_per_token_out(KernelRuntimeContext& ctx,
                                                    Span<EValue*> arguments) {
  OpArgs args(ctx, arguments, "quantized_decomposed::dequantize_per_token.out", 8);
  run(args, false, Sharing::kToken, {1, 2, -1, 3, 6, 7});
}

}  // namespace mcugen::ops
