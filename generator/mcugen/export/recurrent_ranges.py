# SPDX-License-Identifier: BSD-3-Clause
"""Which ranges recurrent layers take and give. Imports torch."""

from __future__ import annotations

import operator
from typing import Any

import torch
from executorch.backends.cortex_m.quantizer.quantization_configs import (
    INT8_PER_TENSOR_CONFIG,
    INT8_WEIGHT_PER_CHANNEL_QSPEC,
)
from executorch.backends.cortex_m.quantizer.quantizer import mark_node_as_annotated
from executorch.backends.cortex_m.quantizer_reporter import QuantizerInfo, QuantizerReporterUser
from torch.fx import Node
from torchao.quantization.pt2e import MinMaxObserver
from torchao.quantization.pt2e.quantizer import (
    QuantizationSpec,
    Quantizer,
    SharedQuantizationSpec,
)

from mcugen.export.recurrent_operators import GATES

_KINDS = {getattr(torch.ops.mcugen, kind).default: kind for kind in GATES}


class PowerOfTwoObserver(MinMaxObserver):  # type: ignore[misc]  # torchao has no types
    """Has the smallest scale 2**-15 * 2**n that its values fit int16 with; n = 0 … 15."""

    def calculate_qparams(self) -> tuple[torch.Tensor, torch.Tensor]:
        """Return the scale, and the zero point 0."""
        most = torch.maximum(self.min_val.abs(), self.max_val.abs())
        # Never looked at: torch's limits of an empty range are infinite.
        most = torch.where(torch.isfinite(most), most, torch.ones_like(most))
        # 1 itself is the value next to it: gates come that near and no nearer.
        bits = torch.ceil(torch.log2(most.clamp(min=2.0**-15))).clamp(0, 15)
        return torch.exp2(bits - 15), torch.zeros((), dtype=torch.int64)


#: Of states on their way from one inference to the next.
STATE_SPEC = QuantizationSpec(
    dtype=torch.int16,
    observer_or_fake_quant_ctr=PowerOfTwoObserver,
    quant_min=-32768,
    quant_max=32767,
    qscheme=torch.per_tensor_symmetric,
)


class RecurrentRanges(Quantizer, QuantizerReporterUser):  # type: ignore[misc]
    """int8 for sequences, int8 per row for weights, int16 for states.

    A state that comes in has the range of the state that goes out: what was given can be given
    back as it is, byte by byte.
    """

    def __init__(self) -> None:
        super().__init__()
        QuantizerReporterUser.__init__(self)

    def get_quantizer_info(self) -> Any:
        """Return what a report says about this quantizer."""
        return QuantizerInfo(
            type(self).__name__, "recurrent layers", "int8, int16 states", __name__
        )

    def annotate(self, model: Any) -> Any:
        """Annotate every recurrent layer."""
        for node in model.graph.nodes:
            if node.op == "call_function" and node.target in _KINDS:
                self._annotate_layer(node)
        return model

    def validate(self, model: Any) -> None:
        """Nothing is refused."""

    def _annotate_layer(self, node: Node) -> None:
        names = [each.name for each in node.target._schema.arguments]  # type: ignore[union-attr]
        arguments = dict(zip(names, node.args, strict=True))
        inputs: dict[Any, Any] = {
            arguments["input"]: INT8_PER_TENSOR_CONFIG.get_input_act_qspec(),
            arguments["weight_ih"]: INT8_WEIGHT_PER_CHANNEL_QSPEC,
            arguments["weight_hh"]: INT8_WEIGHT_PER_CHANNEL_QSPEC,
        }
        states = [arguments[name] for name in names[1:3] if name in ("hidden", "cell")]
        for state in states:
            if state is not None:
                inputs[state] = STATE_SPEC
        mark_node_as_annotated(node, inputs, None, True)
        self.report_accept([node])
        for user in node.users:
            assert user.target is operator.getitem
            index = user.args[1]
            assert isinstance(index, int)
            if index == 0:
                spec: Any = INT8_PER_TENSOR_CONFIG.get_output_act_qspec()
            elif states[index - 1] is None:
                spec = STATE_SPEC
            else:
                spec = SharedQuantizationSpec((states[index - 1], node))
            mark_node_as_annotated(user, {}, spec, True)
            self.report_accept([user])
