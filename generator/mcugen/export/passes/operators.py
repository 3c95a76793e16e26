# SPDX-License-Identifier: BSD-3-Clause
"""The operators of our own that lowering puts in, as torch knows them: mcugen::…

Each has the same schema in firmware/ops. Here only what tracing needs: the shape and type of the
result. Imports torch.
"""

from __future__ import annotations

from typing import Any

import torch

_LIBRARY = torch.library.Library("mcugen", "FRAGMENT")
_ARGUMENTS = (
    "Tensor input, Tensor weights, Tensor? bias, Tensor? kernel_sum, int input_offset, "
    "int filter_offset, int output_offset, Tensor requantize_multipliers, "
    "Tensor requantize_shifts, int activation_max, int activation_min"
)
_LIBRARY.define(f"quantized_linear({_ARGUMENTS}) -> Tensor")
_LIBRARY.define(f"quantized_linear.out({_ARGUMENTS}, *, Tensor(a!) out) -> Tensor(a!)")


@torch.library.register_fake("mcugen::quantized_linear", lib=_LIBRARY)
def _quantized_linear(input: torch.Tensor, weights: torch.Tensor, *_: Any) -> torch.Tensor:
    return input.new_empty((*input.shape[:-1], weights.shape[0]), dtype=torch.int8)
