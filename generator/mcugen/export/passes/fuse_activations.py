# SPDX-License-Identifier: BSD-3-Clause
"""Fuse an activation into the operator before it, whatever the output's range."""

from __future__ import annotations

from typing import Any

from executorch.backends.cortex_m.passes.activation_fusion_pass import ActivationFusionPass
from executorch.backends.cortex_m.passes.passes_utils import get_activation_bounds, quantize_val

from mcugen.export.passes.edge import EDGE


class FuseActivations(ActivationFusionPass):  # type: ignore[misc]  # the wheel has no types
    """Fuses relu, hardtanh, clamp and hardsigmoid whatever the output's range is.

    Also into norms of ours.
    """

    FUSE_OPS = {  # noqa: RUF012 (as the published pass has it)
        *ActivationFusionPass.FUSE_OPS,
        EDGE.mcugen.group_norm.default,
        EDGE.mcugen.layer_norm.default,
    }

    def _get_validated_qparams(self, node: Any, input_node: Any) -> dict[str, Any] | None:
        usual: dict[str, Any] | None = super()._get_validated_qparams(node, input_node)
        if node.target == EDGE.aten.hardsigmoid.default and usual is not None:
            # One half is this zero point; the published pass clamps one that int8 does not have.
            half = usual["zp"] + round(1 / (2 * usual["scale"]))
            return usual if -128 <= half <= 127 else None
        bounds = get_activation_bounds(node)
        if (
            usual is not None
            or bounds is None
            or input_node.target in self.MAX_POOL_OPS
            or "input_qparams" not in input_node.meta
        ):
            return usual
        output = node.meta["output_qparams"][0]
        if output.per_channel:
            return None

        def limit(value: float | None, otherwise: int) -> int:
            if value is None:
                return otherwise
            return int(quantize_val(value, output.scale, output.zp, output.qmin, output.qmax))

        low, high = limit(bounds[0], output.qmin), limit(bounds[1], output.qmax)
        return {**output._asdict(), "qmin": low, "qmax": high}
