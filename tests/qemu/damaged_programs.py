# SPDX-License-Identifier: BSD-3-Clause
"""A small program, y = relu(x + c), and others with one fault each."""

from __future__ import annotations

from executorch.exir import schema as s
from executorch.exir._serialize._program import PTEFile, serialize_pte_binary
from executorch.exir.scalar_type import ScalarType
from programs import Plan, floats
from programs import program as serialized


def program(fault: str = "") -> bytes:
    plan = Plan("forward", [48])
    x = plan.tensor([4], at=(1, 0))
    c = plan.tensor([4], constant=1)
    t = plan.tensor([4], at=(1, 16))
    y = plan.tensor([4], at=(1, 32))
    alpha = plan.value(s.Int(1))
    plan.inputs, plan.outputs = [x], [y]
    add = [x, c, alpha, t, t]
    if fault == "wrong_argument_count":
        del add[2]
    elif fault == "wrong_dtype":
        add[3] = add[4] = plan.tensor([4], dtype=ScalarType.BOOL, at=(1, 16))
    elif fault == "wrong_kind":
        add[1] = plan.value(s.String("text"))
    elif fault == "wrong_shape":
        add[1] = plan.tensor([3], constant=1)
    elif fault == "constant_as_out":
        add[3] = add[4] = c
    plan.call("aten::nothing" if fault == "missing_operator" else "aten::add", *add)
    plan.call("aten::relu", t, y, y)
    if fault == "endless_loop":
        never = plan.value(s.Bool(False))
        plan.instructions.append(s.Instruction(s.JumpFalseCall(never, 0)))
    if fault == "planned_memory_too_large":
        plan.planned = [1 << 30]
    made = serialized([plan], [floats(1, -2, 3, -4)])
    data = bytearray(bytes(serialize_pte_binary(PTEFile(made))))
    if fault == "wrong_schema_version":
        data[4:8] = b"ET13"
    elif fault == "wrong_identifier":
        data[4:8] = b"TFL3"
    return bytes(data)


FAULTS = (
    "",
    "wrong_schema_version",
    "wrong_identifier",
    "missing_operator",
    "wrong_argument_count",
    "wrong_dtype",
    "wrong_kind",
    "wrong_shape",
    "constant_as_out",
    "endless_loop",
    "planned_memory_too_large",
)


def programs() -> dict[str, bytes]:
    """Fault, or "good" → file."""
    return {fault or "good": program(fault) for fault in FAULTS}
