// SPDX-License-Identifier: BSD-3-Clause
#include <kernels/select.h>
#include <ops/recurrent/operators.h>
#include <ops/recurrent/recurrent_args.h>

namespace mcugen::ops {

void mcugen__quantized_gru_out(KernelRuntimeContext& ctx, Span<EValue*> arguments) {
  OpArgs args(ctx, arguments, "mcugen::quantized_gru.out", 17);
  RecurrentArgs read{};
  if (read_recurrent(args, {3, false, false}, read)) {
    gru_s8(read.params, read.weights, read.input, read.hidden, read.outputs);
  }
}

}  // namespace mcugen::ops
