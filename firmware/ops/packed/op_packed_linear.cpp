// SPDX-License-Identifier: BSD-3-Clause
#include <kernels/select.h>
#include <ops/packed/operators.h>
#include <ops/packed/packed_layer.h>

namespace mcugen::ops {

namespace {

/// Rows, input zero point, activation_min, activation_max, whether results are exact.
constexpr int32_t kRowNumbers = 5;

/// Reads scratch and numbers. @param[in] group_words Of a group of so many rows. @returns whether
///     all is well.
bool read_rows(KernelRuntimeContext& ctx, OpArgs& args, const PackedLayer& layer, int32_t rows,
               int32_t group_words, PackedLinearS8Params& p) {
  if (!args.check(layer.out_ch >= rows && layer.has(kRowNumbers, rows, group_words), "weights")) {
    return false;
  }
  p.batch = layer.batch;
  p.in_ch = layer.in_ch;
  p.out_ch = layer.out_ch;
  p.input_zero_point = layer.words[1];
  p.activation_min = layer.words[2];
  p.activation_max = layer.words[3];
  p.exact = layer.words[4] != 0;
  p.scratch = scratch_of(ctx, args, layer);
  return args.ok();
}

}  // namespace

void mcugen__packed_linear_out(KernelRuntimeContext& ctx, Span<EValue*> arguments) {
  OpArgs args(ctx, arguments, "mcugen::packed_linear.out", 4);
  PackedLayer layer;
  PackedLinearS8Params p;
  if (packed_layer(args, 3, layer) &&
      read_rows(ctx, args, layer, kPackedRows, packed_linear_words(layer.in_ch), p)) {
    packed_linear_s8(p, layer.input, layer.words + kRowNumbers, layer.out);
  }
}

void mcugen__packed_linear_5x4_out(KernelRuntimeContext& ctx, Span<EValue*> arguments) {
  OpArgs args(ctx, arguments, "mcugen::packed_linear_5x4.out", 4);
  PackedLayer layer;
  PackedLinearS8Params p;
  if (packed_layer(args, 3, layer) &&
      read_rows(ctx, args, layer, kWideRows, packed_linear_5x4_words(layer.in_ch), p)) {
    packed_linear_5x4_s8(p, layer.input, layer.words + kRowNumbers, layer.out);
  }
}

}  // namespace mcugen::ops
