// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <ops/ops_cortex_m.h>
#include <ops/ops_network.h>
#include <ops/ops_pointwise.h>
#include <ops/ops_prim.h>
#include <ops/ops_shape.h>

/// Every operator of the firmware, as ExecuTorch calls it: the arguments of the operator's schema
/// in order, `out`, and `out` once more for the return value. The name is the schema's with `::`
/// and `.` replaced by `__` and `_`. Each checks all its arguments before it writes anything; a
/// bad one is logged and set as the context's failure (InvalidArgument).
/// The generated operator table names the ones a model uses; the linker drops the rest.
