# SPDX-License-Identifier: BSD-3-Clause
"""What the quantizer takes beyond ExecuTorch's patterns. Imports torch."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import torch
from executorch.backends.arm.quantizer.arm_quantizer_utils import PatternQuantizer
from executorch.backends.cortex_m.passes.passes_utils import is_foldable_alpha
from executorch.backends.cortex_m.quantizer.node_finders import NodeTargetNodeFinder
from executorch.backends.cortex_m.quantizer.pattern_checkers import (
    CortexMActivationCheck,
    CortexMAddMulCheck,
)
from executorch.backends.cortex_m.quantizer.pattern_matcher import PatternMatcher
from executorch.backends.cortex_m.quantizer.quantization_configs import (
    INT8_ACTIVATION_PER_TENSOR_QSPEC,
    INT8_PER_CHANNEL_CONFIG,
    INT8_PER_TENSOR_CONFIG,
    CortexMQuantizationConfig,
)
from executorch.backends.cortex_m.quantizer.quantizer_support import (
    CONV_OP_PATTERNS,
    CONV_TRANSPOSE_OP_PATTERNS,
    CORTEX_M_QUANTIZER_SUPPORT_DICT,
    LINEAR_OP_PATTERNS,
)
from torchao.quantization.pt2e.observer import PerChannelMinMaxObserver

from mcugen.export.curve import CURVE
from mcugen.export.norm_operators import GROUP_NORM, LAYER_NORM
from mcugen.export.observers import ActivationObserver, PerChannelWeightObserver


class ObservedConfig(CortexMQuantizationConfig):  # type: ignore[misc]  # the wheel has no types
    """One of ExecuTorch's, with our observers."""

    def get_weight_qspec(self, node: Any = None) -> Any:
        """Return how a layer's weights are quantized."""
        spec = super().get_weight_qspec(node)
        if spec is None or spec.observer_or_fake_quant_ctr is not PerChannelMinMaxObserver:
            return spec
        return replace(spec, observer_or_fake_quant_ctr=PerChannelWeightObserver)


_ACTIVATION = replace(
    INT8_ACTIVATION_PER_TENSOR_QSPEC, observer_or_fake_quant_ctr=ActivationObserver
)


def _observed(config: Any) -> ObservedConfig:
    return ObservedConfig(_ACTIVATION, _ACTIVATION, config.weight, config.bias, config.label)


PER_TENSOR_CONFIG = _observed(INT8_PER_TENSOR_CONFIG)
PER_CHANNEL_CONFIG = _observed(INT8_PER_CHANNEL_CONFIG)


#: What a norm does at no cost to what it gives.
_BOUNDS = (
    torch.ops.aten.relu.default,
    torch.ops.aten.hardtanh.default,
    torch.ops.aten.clamp.default,
)
#: Of a norm's arguments, those that become constants of its int8 form.
_PARAMETERS = (1, 2)


class BroadcastCheck(CortexMAddMulCheck):  # type: ignore[misc]  # the wheel has no types
    """Additions and products of tensors of any shapes that go together."""

    @classmethod
    def check_pattern(cls, pattern: list[Any]) -> bool:
        """Return whether every factor `alpha` is one that the operator can fold."""
        return all(is_foldable_alpha(node.kwargs.get("alpha", 1)) for node in pattern)


def take_more(quantizers: list[Any]) -> None:
    """Change ExecuTorch's quantizers: more patterns, and a scale per output of linear layers."""
    support = {
        pattern: BroadcastCheck if check is CortexMAddMulCheck else check
        for pattern, check in CORTEX_M_QUANTIZER_SUPPORT_DICT.items()
    }
    support[CURVE,] = CortexMActivationCheck
    for norm in (LAYER_NORM, GROUP_NORM):
        support[norm,] = CortexMActivationCheck
        support.update({(norm, bound): CortexMActivationCheck for bound in _BOUNDS})
    matcher = PatternMatcher(support, support_dict_name="mcugen's patterns")
    layers = CONV_OP_PATTERNS.keys() | CONV_TRANSPOSE_OP_PATTERNS.keys() | LINEAR_OP_PATTERNS.keys()
    targets = list({target for pattern in layers for target in pattern})
    for quantizer in quantizers:
        if not isinstance(quantizer, PatternQuantizer):
            continue
        quantizer.pattern_matcher = matcher
        quantizer.UNOBSERVED_INPUT_INDICES = {
            **quantizer.UNOBSERVED_INPUT_INDICES,
            LAYER_NORM: _PARAMETERS,
            GROUP_NORM: _PARAMETERS,
        }
        if quantizer.quantization_config is INT8_PER_CHANNEL_CONFIG:
            quantizer.quantization_config = PER_CHANNEL_CONFIG
            quantizer.node_finder = NodeTargetNodeFinder(targets)
        else:
            quantizer.quantization_config = PER_TENSOR_CONFIG
