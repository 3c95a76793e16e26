# SPDX-License-Identifier: BSD-3-Clause
"""Recurrent layers as operators on int8."""

from __future__ import annotations

import math
import operator
from typing import Any

import torch
from executorch.backends.cortex_m.passes.passes_utils import quantize_multiplier_aot
from executorch.backends.transforms.aten_to_dialect_pass import DialectNodeSpec
from executorch.backends.transforms.utils import get_param_tensor

from mcugen.base.errors import LoweringError
from mcugen.export.passes.constants import constant_of
from mcugen.export.passes.edge import EDGE
from mcugen.export.recurrent_operators import GATES

#: Sums of gates have 16 bits behind the point (firmware/kernels/recurrent_s8.h).
_GATE_BITS = 16
_INT32_MAX = 2**31 - 1


def _quantized(node: Any, to_cortex_m: Any) -> Any:
    """Replace a recurrent layer by its int8 form."""
    kind = _KINDS[node.target]
    names = [each.name for each in node.target._schema.arguments]
    at = {name: index for index, name in enumerate(names)}
    ranges = node.meta["input_qparams"]
    program = to_cortex_m.exported_program
    source = ranges[at["input"]]
    weights = {
        name: get_param_tensor(program, node.args[at[name]]) for name in ("weight_ih", "weight_hh")
    }
    scales = {name: _per_row(ranges[at[name]]) for name in weights}
    output, *results = (_result(node, index) for index in range(2 + (kind == "lstm")))

    states = [name for name in ("hidden", "cell") if name in at]
    bits = []
    for name, result in zip(states, results, strict=True):
        given = ranges.get(at[name]) if node.args[at[name]] is not None else None
        known = given or result
        if given is not None and result is not None and given.scale != result.scale:
            raise LoweringError(f"{node.name}: its {name} state has two scales")
        if known is not None:
            bits.append(-round(math.log2(known.scale)))
        elif kind == "rnn" and node.args[at["relu"]] and output is not None:
            most = output.scale * max(127 - output.zp, output.zp + 128)
            bits.append(15 - min(max(math.ceil(math.log2(most)), 0), 15))
        else:
            bits.append(15)
    _refuse_overflow(node, weights["weight_hh"])

    real_ih = scales["weight_ih"] * (source.scale * 2.0**_GATE_BITS)
    real_hh = scales["weight_hh"] * 2.0 ** (_GATE_BITS - bits[0])
    largest = max(float(real_ih.max()), float(real_hh.max()))
    shift = min(max(31 - math.frexp(largest)[1], 1), 62)
    multipliers = [
        (real * 2.0**shift).round().clamp(0, _INT32_MAX).to(torch.int32)
        for real in (real_ih, real_hh)
    ]
    bias = get_param_tensor(program, node.args[at["bias"]]).to(torch.float64)
    # The input's zero point is part of the bias. Of a GRU's four, the last is the state's own.
    sums = weights["weight_ih"].to(torch.float64).sum(1)
    shifted = bias.clone()
    shifted[: len(sums)] -= sums * scales["weight_ih"] * (source.scale * source.zp)
    fixed = (shifted * 2.0**_GATE_BITS).round().clamp(-(2**31), _INT32_MAX).to(torch.int32)
    constants = [
        constant_of(node, to_cortex_m, name, value)
        for name, value in (
            ("bias", fixed),
            ("multipliers_ih", multipliers[0]),
            ("multipliers_hh", multipliers[1]),
        )
    ]
    # Without an output that is used, any scale will do.
    output_scale, zero_point = (output.scale, output.zp) if output else (2.0**-7, 0)
    multiplier, output_shift = quantize_multiplier_aot(2.0 ** -bits[0] / output_scale)
    return DialectNodeSpec(
        getattr(EDGE.mcugen, f"quantized_{kind}").default,
        (
            *node.args[: at["bias"]],
            *constants,
            shift,
            *bits,
            zero_point,
            multiplier,
            output_shift,
            *node.args[at["reverse"] :],
        ),
    )


def _result(node: Any, index: int) -> Any:
    """Return how a result is quantized, None for one that is not used."""
    for user in node.users:
        assert user.target is operator.getitem
        if user.args[1] == index and user.meta.get("output_qparams"):
            return next(iter(user.meta["output_qparams"].values()))
    return None


def _per_row(qparams: Any) -> torch.Tensor:
    return torch.as_tensor(qparams.scale, dtype=torch.float64).flatten()


def _refuse_overflow(node: Any, weight_hh: torch.Tensor) -> None:
    """Raise LoweringError if a sum over the state could leave int32."""
    most = int(weight_hh.to(torch.int64).abs().sum(1).max())
    if most * 2**15 > _INT32_MAX:
        raise LoweringError(
            f"{node.name}: {weight_hh.shape[1]} units: a row of its weights adds up to {most:,} "
            f"steps, {_INT32_MAX >> 15:,} are taken",
            hint="Use fewer units, or several smaller layers.",
        )


_KINDS = {getattr(EDGE.mcugen, kind).default: kind for kind in GATES}
#: For ToCortexM.
RECURRENT = dict.fromkeys(_KINDS, _quantized)
#: Sequences in the order of their axes, for SettleLayouts.
PLAIN_RECURRENT = {getattr(EDGE.mcugen, f"quantized_{kind}").default: (0,) for kind in GATES}
