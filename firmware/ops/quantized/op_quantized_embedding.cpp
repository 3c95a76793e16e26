// SPDX-License-Identifier: BSD-3-Clause
#include <kernels/image.h>
#include <ops/quantized/operators.h>
#include <ops/quantized/quantized_args.h>

namespace mcugen::ops {
namespace {

/// @returns element `column` of a row of weights of so many bits each. Of four bits the first is
///     the upper half of a byte, of two bits the lowest; both are offset to be above zero.
int32_t unpack(const Tensor* weight, int32_t bits, int32_t row_start, int32_t column) {
  if (bits == 8) {
    return load_quantized(weight, row_start + column);
  }
  const uint32_t packed = weight->const_data_ptr<uint8_t>()[row_start + column * bits / 8];
  return bits == 4 ? static_cast<int32_t>(packed >> ((column & 1) != 0 ? 0 : 4) & 15u) - 8
                   : static_cast<int32_t>(packed >> (column & 3) * 2 & 3u) - 2;
}

/// Arguments: weight, scales, zero points, quant_min, quant_max, indices, dtype if there, out.
void embed(OpArgs& args, int32_t bits, bool typed) {
  const uint32_t bytes = dtype_bit(ScalarType::Byte);
  const Tensor* const weight =
      args.tensor_of(0, bits == 8 ? bytes | dtype_bit(ScalarType::Char) : bytes);
  const Tensor* const scales = args.tensor(1, ScalarType::Float);
  const Tensor* const zero_points = args.optional_tensor(2, ScalarType::Float);
  const Tensor* const indices =
      args.tensor_of(5, dtype_bit(ScalarType::Int) | dtype_bit(ScalarType::Long));
  const Tensor* const out = args.tensor(typed ? 7 : 6, ScalarType::Float);
  if (!args.ok()) {
    return;
  }
  if (bits == 8) {
    quant_range(args, 3, weight->scalar_type());
  } else {
    const int32_t half = 1 << (bits - 1);
    args.integer(3, -half, -half);
    args.integer(4, half - 1, half - 1);
  }
  if (typed) {
    args.optional_dtype(6, ScalarType::Float, kFloatDtypes);
  }
  if (!args.check(weight->dim() == 2 && indices->dim() < kMaxDims &&
                      (scales->dim() == 1 || scales->dim() == 2) &&
                      (zero_points == nullptr || zero_points->dim() == scales->dim()),
                  "rank")) {
    return;
  }
  args.contiguous(weight);
  args.contiguous(scales);
  args.contiguous(indices);
  args.contiguous(out);
  const int32_t rows = sizes_of(*weight)[0];
  const int32_t row_bytes = sizes_of(*weight)[1];
  const int32_t groups = scales->dim() == 2 ? sizes_of(*scales)[1] : 1;
  args.check(row_bytes <= kMaxExtent, "weight shape");
  const int32_t columns = row_bytes <= kMaxExtent ? row_bytes * (8 / bits) : 0;
  args.check(
      sizes_of(*scales)[0] == rows && groups >= 1 && columns % (groups >= 1 ? groups : 1) == 0,
      "shape of the scales");
  if (zero_points != nullptr) {
    args.alike(zero_points, scales);
  }
  const int32_t count = static_cast<int32_t>(indices->numel());
  for (int32_t i = 0; args.ok() && i < count; ++i) {
    const int64_t row =
        load_int(indices->const_data_ptr(), indices->scalar_type(), static_cast<size_t>(i));
    args.check(row >= 0 && row < rows, "index: not a row of the weight");
  }
  int32_t sizes[kMaxDims];
  const int32_t rank = static_cast<int32_t>(indices->dim());
  for (int32_t d = 0; d < rank; ++d) {
    sizes[d] = sizes_of(*indices)[d];
  }
  sizes[rank] = columns;
  if (!args.resize(out, sizes, rank + 1) || out->numel() == 0) {
    return;
  }
  float* to = out->mutable_data_ptr<float>();
  const int32_t group_size = columns / groups;
  for (int32_t i = 0; i < count; ++i) {
    const int32_t row = static_cast<int32_t>(
        load_int(indices->const_data_ptr(), indices->scalar_type(), static_cast<size_t>(i)));
    for (int32_t column = 0; column < columns; ++column) {
      const int32_t parameter = row * groups + column / group_size;
      const float zero_point =
          zero_points != nullptr ? zero_points->const_data_ptr<float>()[parameter] : 0.0f;
      *to++ =
          one_nan((static_cast<float>(unpack(weight, bits, row * row_bytes, column)) - zero_point) *
                  scales->const_data_ptr<float>()[parameter]);
    }
  }
}

}  // namespace

void quantized_decomposed__embedding_byte_out(KernelRuntimeContext& ctx, Span<EValue*> arguments) {
  OpArgs args(ctx, arguments, "quantized_decomposed::embedding_byte.out", 7);
  embed(args, 8, false);
}

void quantized_decomposed__embedding_byte_dtype_out(KernelRuntimeContext& ctx,
                                                    Span<EValue*> arguments) {
  OpArgs args(ctx, arguments, "quantized_decomposed::embedding_byte.dtype_out", 8);
  embed(args, 8, true);
}

void quantized_decomposed__embedding_2bit_out(KernelRuntimeContext& ctx, Span<EValue*> arguments) {
  OpArgs args(ctx, arguments, "quantized_decomposed::embedding_2bit.out", 7);
  embed(args, 2, false);
}

void quantized_decomposed__embedding_2bit_dtype_out(KernelRuntimeContext& ctx,
                                                    Span<EValue*> arguments) {
  OpArgs args(ctx, arguments, "quantized_decomposed::embedding_2bit.dtype_out", 8);
  embed(args, 2, true);
}

void quantized_decomposed__embedding_4bit_out(KernelRuntimeContext& ctx, Span<EValue*> arguments) {
  OpArgs args(ctx, arguments, "quantized_decomposed::embedding_4bit.out", 7);
  embed(args, 4, false);
}

void quantized_decomposed__embedding_4bit_dtype_out(KernelRuntimeContext& ctx,
                                                    Span<EValue*> arguments) {
  OpArgs args(ctx, arguments, "quantized_decomposed::embedding_4bit.dtype_out", 8);
  embed(args, 4, true);
}

}  // namespace mcugen::ops
