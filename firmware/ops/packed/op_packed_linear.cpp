// SPDX-License-Identifier: BSD-3-Clause
#include <kernels/select.h>
#include <ops/packed/operators.h>
#include <ops/packed/packed_layer.h>

namespace mcugen::ops {

void mcugen__packed_linear_out(KernelRuntimeContext& ctx, Span<EValue*> arguments) {
  OpArgs args(ctx, arguments, "mcugen::packed_linear.out", 4);
  PackedLayer layer;
  if (!packed_layer(args, 3, layer)) {
    return;
  }
  constexpr int32_t kNumbers = 5;
  PackedLinearS8Params p;
  p.scratch = args.scratch(2);
  if (!args.check(layer.out_ch >= kPackedRows &&
                      layer.has(kNumbers, kPackedRows, packed_linear_words(layer.in_ch)),
                  "weights")) {
    return;
  }
  p.batch = layer.batch;
  p.in_ch = layer.in_ch;
  p.out_ch = layer.out_ch;
  p.input_zero_point = layer.words[1];
  p.activation_min = layer.words[2];
  p.activation_max = layer.words[3];
  p.exact = layer.words[4] != 0;
  packed_linear_s8(p, layer.input, layer.words + kNumbers, layer.out);
}

}  // namespace mcugen::ops
