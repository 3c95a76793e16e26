# SPDX-License-Identifier: BSD-3-Clause
"""About how many instructions each call of a program takes, without running it.

A table of a few numbers, from `mcugen profile --simulate` of the MLPerf Tiny networks and of one
that is mostly float: enough to say which part of a program is worth a change, not how long it
takes. Networks are within a factor of two, single calls in float within five. `mcugen profile`
counts.
"""

from __future__ import annotations

from mcugen.boards.spec import Isa
from mcugen.program.artifact import PteArtifact
from mcugen.program.call_facts import CallFacts, call_sequence
from mcugen.program.kept import kept

#: Instructions of an int8 multiply-accumulate, and of an int8 element that is read or written. Of
#: scalar cores a Cortex-M3: an M0+ takes about twice as many of all, so that shares are the same.
_INT8 = {Isa.SCALAR: (1.4, 8.0), Isa.DSP: (0.62, 6.0), Isa.MVE: (0.16, 1.5)}
#: Instructions of moving a byte: read, written.
_COPY = 5.0
#: Of an element that becomes float, or int8 again.
_EDGE = 14.0
#: Of a float element that is read or written, and of a float MAC, with hardware for float32: the
#: operators take any shapes and types.
_FLOAT, _FLOAT_MAC = 70.0, 13.0
#: Of a float element that takes a function of the C library, or statistics in float64.
_FUNCTION = 600.0
#: How many times as many where float32 is computed in software.
_SOFT_FLOAT = 3.0
#: Per call: finding tensors, checking, dispatching.
_CALL = 400.0
_FUNCTIONS = (
    *("exp", "log", "pow", "sin", "cos", "tan", "atan", "asin", "acos", "sinh", "cosh", "erf"),
    *("tanh", "sigmoid", "softmax", "gelu", "elu", "fmod", "remainder", "rsqrt", "var", "std"),
)
_COPIES = ("copy", "clone", "cat", "permute", "transpose", "slice", "select", "pad", "view")


def estimated_instructions(
    artifact: PteArtifact, isa: Isa | None, *, fpu: bool = True
) -> tuple[int, ...]:
    """Return about how many instructions each call takes that is no symbolic arithmetic, in order.

    Args:
        artifact: as exported.
        isa: of the core; None: DSP.
        fpu: whether it has hardware for float32.
    """
    per_mac, per_element = _INT8[isa or Isa.DSP]

    def make() -> list[int]:
        calls = [each for each in call_sequence(artifact).calls if each.own is not None]
        return [round(_CALL + _work(each, per_mac, per_element, fpu)) for each in calls]

    return kept("costs", artifact, make, tuple, isa=isa.value if isa else None, fpu=fpu)


def _work(call: CallFacts, per_mac: float, per_element: float, fpu: bool) -> float:
    moved = [each for each in (*call.inputs, *call.outputs) if not each.constant]
    name = call.operator.partition("::")[2]
    if any(each in name for each in _COPIES):
        return _COPY * sum(each.nbytes for each in moved)
    elements = sum(_count(each.shape) for each in moved)
    if "quantize_per" in name:
        return _EDGE * elements
    if all(each.dtype != "float32" for each in moved):
        return per_mac * call.macs + per_element * elements
    each = _FUNCTION if any(word in name for word in _FUNCTIONS) else _FLOAT
    work = _FLOAT_MAC * call.macs if call.macs else each * elements
    return work * (1 if fpu else _SOFT_FLOAT)


def _count(shape: tuple[int, ...]) -> int:
    count = 1
    for size in shape:
        count *= size
    return count
