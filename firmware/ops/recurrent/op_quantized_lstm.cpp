// SPDX-License-Identifier: BSD-3-Clause
#include <kernels/select.h>
#include <ops/recurrent/operators.h>
#include <ops/recurrent/recurrent_args.h>

namespace mcugen::ops {

void mcugen__quantized_lstm_out(KernelRuntimeContext& ctx, Span<EValue*> arguments) {
  OpArgs args(ctx, arguments, "mcugen::quantized_lstm.out", 20);
  RecurrentArgs read{};
  if (read_recurrent(args, {4, true, false}, read)) {
    lstm_s8(read.params, read.weights, read.input, read.hidden, read.cell, read.outputs);
  }
}

}  // namespace mcugen::ops
