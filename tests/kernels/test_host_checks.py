# SPDX-License-Identifier: BSD-3-Clause
"""What the firmware's operators refuse, the host refuses before anything is compiled.

The calls are those that test_bad_arguments.py gives to the operators themselves.
"""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from op_host import DTYPES, T
from test_bad_arguments import ALLOWED, BAD_VALUES, CALLS, changed, variants

from mcugen.program import call_tensors, operator_table

CHECKED = [name for name in operator_table.names() if operator_table.operator(name).takes]
CALLED = [name for name in CHECKED if name in CALLS]


def value(plan: SimpleNamespace, argument: Any) -> int:
    """Put an argument among the values of a program, as executorch.exir.schema names them."""
    if isinstance(argument, T):
        fields = {
            "sizes": list(argument.array.shape),
            "dim_order": list(argument.dim_order),
            "scalar_type": DTYPES[argument.array.dtype],
            "shape_dynamism": 0,
        }
        made = type("Tensor", (), fields)()
    elif isinstance(argument, bool):
        made = type("Bool", (), {"bool_val": argument})()
    elif isinstance(argument, int):
        made = type("Int", (), {"int_val": argument})()
    elif isinstance(argument, list):
        made = type("IntList", (), {"items": [value(plan, item) for item in argument]})()
    else:
        made = type("Null" if argument is None else "Double", (), {"double_val": argument})()
    plan.values.append(SimpleNamespace(val=made))
    return len(plan.values) - 1


def check(operator: str, arguments: list[Any]) -> None:
    plan = SimpleNamespace(values=[])
    args = [value(plan, argument) for argument in arguments]
    called = operator_table.operator(operator)
    call_tensors.check(plan, called, args, changed=frozenset())


def test_the_cortex_m_operators_are_checked() -> None:
    """They are what int8 models consist of, and the ones with demands on memory order."""
    assert {name for name in operator_table.names() if name.startswith("cortex_m::")} <= set(
        CHECKED
    )
    for name in CHECKED:
        called = operator_table.operator(name)
        assert {*called.takes, *called.within} <= {each.name for each in called.arguments}
        assert called.shape in call_tensors.SHAPES


@pytest.mark.parametrize("operator", CALLED)
def test_the_good_call_is_good(operator: str) -> None:
    check(operator, CALLS[operator]())


@pytest.mark.parametrize("operator", CALLED)
def test_refuses_tensors_of_another_kind(operator: str) -> None:
    called = operator_table.operator(operator)
    tried = 0
    for index, argument in enumerate(CALLS[operator]()):
        if not isinstance(argument, T) or called.arguments[index].name not in called.takes:
            continue
        for bad in variants(argument):
            # Addresses are the memory plan's; what is no order at all is refused with the file.
            if not isinstance(bad, T) or bad.null_data or bad.misalignment:
                continue
            if not bad._is_permutation or ALLOWED.get((operator, index), lambda _: False)(bad):
                continue
            with pytest.raises(call_tensors.Refused):
                check(operator, changed(operator, {index: bad}))
            tried += 1

    assert tried > 0


@pytest.mark.parametrize("operator", CALLED)
def test_refuses_another_output_shape(operator: str) -> None:
    out = CALLS[operator]()[-1]
    # How many rows the last block of a packed layer has stands in the block.
    packed = "words" in operator_table.operator(operator).takes
    channels = 1 if out.order is not None else out.array.ndim - 1
    for axis in range(out.array.ndim):
        if packed and axis == channels:
            continue
        for change in (-1, 1):
            shape = list(out.array.shape)
            shape[axis] += change
            wrong = T(np.ones(shape, out.array.dtype), out.order)

            with pytest.raises(call_tensors.Refused):
                check(operator, changed(operator, {len(CALLS[operator]()) - 1: wrong}))


#: Constants whose values the file holds, but the check does not read; the device does.
UNREAD = ("requantize_multipliers", "requantize_shifts", "words")


def is_seen(operator: str, changes: dict[int, Any]) -> bool:
    """Whether what is wrong shows in tensors, or in numbers with limits in the table."""
    if operator not in CALLED:
        return False
    called, arguments = operator_table.operator(operator), CALLS[operator]()
    for index, bad in changes.items():
        name = called.arguments[index].name
        if name not in called.takes and name not in called.within:
            return False
        if name in UNREAD and bad.array.shape == arguments[index].array.shape:
            return False
    return True


SEEN = [case for case in BAD_VALUES if is_seen(*case)]


@pytest.mark.parametrize("operator,changes", SEEN, ids=str)
def test_refuses_what_does_not_fit(operator: str, changes: dict[int, Any]) -> None:
    assert len(SEEN) > 20

    with pytest.raises(call_tensors.Refused):
        check(operator, changed(operator, changes))
