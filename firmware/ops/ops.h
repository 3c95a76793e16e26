// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <ops/index/operators.h>
#include <ops/network/operators.h>
#include <ops/packed/operators.h>
#include <ops/pointwise/operators.h>
#include <ops/prim/operators.h>
#include <ops/quantized/operators.h>
#include <ops/recurrent/operators.h>
#include <ops/reduce/operators.h>
#include <ops/shape/operators.h>

/// Every operator of the firmware, as ExecuTorch calls it: the arguments of the operator's schema
/// in order, `out`, and `out` once more for the return value. The name is the schema's with `::`
/// and `.` replaced by `__` and `_`. Each checks all its arguments before it writes anything; a
/// bad one is logged and set as the context's failure (InvalidArgument).
/// The generated operator table names the ones a model uses; the linker drops the rest.
