# SPDX-License-Identifier: BSD-3-Clause
"""Bounds of int8 activations in quantized units."""

from __future__ import annotations

from typing import Any

import torch
from executorch.backends.cortex_m.passes.quantized_clamp_activation_pass import (
    QuantizedClampActivationPass,
)


class ClampActivations(QuantizedClampActivationPass):  # type: ignore[misc]
    """Quantizes the bounds of relu, hardtanh and clamp wherever the tensor is quantized.

    Asks the quantization parameters for that. The traced type does not tell: a linear layer's int32
    bias makes all behind it int32 until the layer becomes an operator of the device.
    """

    def _is_quantized_int8_activation(self, node: Any) -> bool:
        qparams = node.meta.get("output_qparams")
        if not node.meta.get("input_qparams") or not qparams:
            return False
        first = next(iter(qparams.values()))
        return first.dtype is torch.int8 and not first.per_channel
