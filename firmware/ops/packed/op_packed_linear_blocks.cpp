// SPDX-License-Identifier: BSD-3-Clause
#include <kernels/select.h>
#include <ops/packed/operators.h>
#include <ops/packed/packed_layer.h>

namespace mcugen::ops {
namespace {

/// Rows, output zero point, activation_min, activation_max.
constexpr int32_t kNumbers = 4;

PackedLinearBlocksS8Params params_of(const PackedLayer& layer, Scratch scratch) {
  return {layer.batch,    layer.in_ch,    layer.out_ch, layer.words[1],
          layer.words[2], layer.words[3], scratch};
}

}  // namespace

void mcugen__packed_linear_4x4_out(KernelRuntimeContext& ctx, Span<EValue*> arguments) {
  OpArgs args(ctx, arguments, "mcugen::packed_linear_4x4.out", 4);
  PackedLayer layer;
  if (packed_layer(args, 3, layer) &&
      args.check(layer.has(kNumbers, 4, packed_linear_4x4_words(layer.in_ch)), "weights")) {
    const Scratch scratch = scratch_of(ctx, args, layer);
    if (args.ok()) {
      packed_linear_4x4_s8(params_of(layer, scratch), layer.input, layer.words + kNumbers,
                           layer.out);
    }
  }
}

void mcugen__packed_linear_8x16_out(KernelRuntimeContext& ctx, Span<EValue*> arguments) {
  OpArgs args(ctx, arguments, "mcugen::packed_linear_8x16.out", 3);
  PackedLayer layer;
  if (packed_layer(args, 2, layer) &&
      args.check(layer.has(kNumbers, 8, packed_linear_8x16_words(layer.in_ch)), "weights")) {
    packed_linear_8x16_s8(params_of(layer, {}), layer.input, layer.words + kNumbers, layer.out);
  }
}

}  // namespace mcugen::ops
