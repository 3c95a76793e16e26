// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <ops/op_args.h>

/// Symbolic arithmetic: executorch_prim, aten::sym_size and the like. See ops.h.

namespace mcugen::ops {}  // namespace mcugen::ops
