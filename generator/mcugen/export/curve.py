# SPDX-License-Identifier: BSD-3-Clause
"""mcugen::curve: any function of each element by itself, written as a list of ATEN operators.

What several operators make of one tensor, number by number, is one function of 256 values once the
tensor is int8: a table. The function is kept as text, so that it survives tracing, and is computed
by the operators it names. Imports torch.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import torch

ATEN = torch.ops.aten

_LIBRARY = torch.library.Library("mcugen", "FRAGMENT")
_LIBRARY.define("curve(Tensor input, str steps) -> Tensor")


@torch.library.impl(_LIBRARY, "curve", "CompositeExplicitAutograd")
def _curve(input: torch.Tensor, steps: str) -> torch.Tensor:
    return evaluate(steps, input)


@torch.library.register_fake("mcugen::curve", lib=_LIBRARY)
def _curve_fake(input: torch.Tensor, steps: str) -> torch.Tensor:
    return torch.empty_like(input)


CURVE = torch.ops.mcugen.curve.default


def written(steps: Sequence[dict[str, Any]]) -> str:
    """Return the steps as text.

    Each has `op` ("aten.mul.Tensor"), `args` and `kwargs`; in these, {"of": -1} is the input and
    {"of": n} the result of step n, {"number": 0.5} a tensor of one number. The last step's result
    is the function's.
    """
    return json.dumps(steps, sort_keys=True)


def evaluate(steps: str, values: torch.Tensor) -> torch.Tensor:
    """Return the function of `values`, any shape, in their dtype."""
    results: list[torch.Tensor] = []

    def read(each: Any) -> Any:
        if isinstance(each, dict):
            if "number" in each:
                is_mask = isinstance(each["number"], bool)
                return torch.tensor(each["number"], dtype=torch.bool if is_mask else values.dtype)
            if "dtype" in each:
                return values.dtype if each["dtype"] == "float32" else getattr(torch, each["dtype"])
            return values if each["of"] < 0 else results[each["of"]]
        if isinstance(each, list):
            return [read(item) for item in each]
        return each

    for step in json.loads(steps):
        namespace, name, overload = step["op"].split(".")
        operator = getattr(getattr(getattr(torch.ops, namespace), name), overload)
        kwargs = {key: read(value) for key, value in step["kwargs"].items()}
        results.append(operator(*map(read, step["args"]), **kwargs))
    return results[-1]


def described(steps: str) -> str:
    """Return "aten.exp" or, of several operators, "aten.mul+add"."""
    names = [step["op"].split(".")[1] for step in json.loads(steps)]
    return "aten." + "+".join(names[:4]) + ("+…" if len(names) > 4 else "")


def table(steps: str, source: Any, result: Any) -> torch.Tensor:
    """Return the int8 results for the 256 int8 inputs, -128 first.

    Args:
        steps: the function.
        source, result: scale and zero point (`scale`, `zp`) of its input and output.

    Beyond int8 it saturates. Where the function has no value, the nearest input's that has one is
    taken: its calibrated range cannot have met any.

    Raises ValueError if it has no value anywhere.
    """
    reals = (torch.arange(-128, 128, dtype=torch.float64) - source.zp) * source.scale
    with torch.no_grad():
        scaled = evaluate(steps, reals) / result.scale + result.zp
    known = torch.nonzero(~torch.isnan(scaled)).flatten()
    if not len(known):
        raise ValueError("it is not a number over the whole range of its input")
    nearest = known[(torch.arange(256)[:, None] - known[None]).abs().argmin(1)]
    scaled = scaled[nearest].clamp(-1e6, 1e6) - result.zp
    away_from_zero = torch.sign(scaled) * torch.floor(scaled.abs() + 0.5)
    return (away_from_zero + result.zp).clamp(-128, 127).to(torch.int8)
