// SPDX-License-Identifier: BSD-3-Clause
#include <kernels/select.h>
#include <ops/recurrent/operators.h>
#include <ops/recurrent/recurrent_args.h>

namespace mcugen::ops {

void mcugen__quantized_rnn_out(KernelRuntimeContext& ctx, Span<EValue*> arguments) {
  OpArgs args(ctx, arguments, "mcugen::quantized_rnn.out", 18);
  RecurrentArgs read{};
  if (read_recurrent(args, {1, false, true}, read)) {
    rnn_s8(read.params, read.weights, read.input, read.hidden, read.outputs);
  }
}

}  // namespace mcugen::ops
