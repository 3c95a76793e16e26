// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <ops/common/op_args.h>

/// Layers of recurrent networks, in mcugen's own namespace. See ops.h.

namespace mcugen::ops {

void mcugen__quantized_gru_out(KernelRuntimeContext& ctx, Span<EValue*> args);
void mcugen__quantized_lstm_out(KernelRuntimeContext& ctx, Span<EValue*> args);
void mcugen__quantized_rnn_out(KernelRuntimeContext& ctx, Span<EValue*> args);

}  // namespace mcugen::ops
