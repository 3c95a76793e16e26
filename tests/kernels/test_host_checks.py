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
from test_bad_arguments import ALLOWED, BAD_VALUES, CALLS, SAME_CODE, changed, variants

from mcugen.program import call_tensors, checked_calls, operator_table
from mcugen.program.packing.edit import Call, Method
from mcugen.program.planning.overlap import WIDENS

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
            # One behind the other.
            "allocation_info": SimpleNamespace(memory_id=1, memory_offset=1024 * len(plan.values)),
            "data_buffer_idx": 0,
        }
        if argument.array.dtype == np.int32:  # whose values count
            plan.constants.append(SimpleNamespace(storage=argument.array.tobytes()))
            fields |= {"allocation_info": None, "data_buffer_idx": len(plan.constants) - 1}
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


def planned(operator: str, arguments: list[Any]) -> tuple[SimpleNamespace, list[int]]:
    """A program of one call, and the call's arguments."""
    plan = SimpleNamespace(values=[], constants=[SimpleNamespace(storage=b"")])
    return plan, [value(plan, argument) for argument in arguments]


def check(operator: str, arguments: list[Any]) -> None:
    plan, args = planned(operator, arguments)
    called = operator_table.operator(operator)
    call_tensors.check(plan, called, args, changed=frozenset())


def is_checked(operator: str, arguments: list[Any], places: dict[int, int] | None = None) -> bool:
    """Whether a call goes to the device, and the device need not check it.

    places: of arguments by their numbers, where in planned memory.
    """
    plan, args = planned(operator, arguments)
    for argument, place in (places or {}).items():
        plan.values[args[argument]].val.allocation_info.memory_offset = place
    called = operator_table.operator(operator)
    for argument, index in zip(called.arguments, args, strict=True):
        if type(plan.values[index].val).__name__ not in argument.kinds:
            return False
    try:
        call_tensors.check(plan, called, args, changed=frozenset())
    except call_tensors.Refused:
        return False
    name, _, overload = operator.rpartition(".")
    plan.operators = [SimpleNamespace(name=name, overload=overload)]
    method = Method(SimpleNamespace(constant_buffer=plan.constants), plan)
    return checked_calls.is_checked(Call(method, SimpleNamespace(op_index=0, args=args)))


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


#: Operators of which an image may be without the checks.
UNCHECKED = [name for name in checked_calls.CHECKED if name in CALLS]


def test_images_without_checks_are_of_checked_operators() -> None:
    assert set(UNCHECKED) <= set(CHECKED)
    assert {name for name in checked_calls.CHECKED if name not in CALLS} <= SAME_CODE


@pytest.mark.parametrize("operator", UNCHECKED)
def test_the_good_call_needs_no_check(operator: str) -> None:
    assert is_checked(operator, CALLS[operator]())


@pytest.mark.parametrize("operator", UNCHECKED)
def test_a_wrong_kind_needs_a_check(operator: str) -> None:
    names = [argument.name for argument in operator_table.operator(operator).arguments]
    for index, argument in enumerate(CALLS[operator]()):
        for bad in variants(argument):
            if ALLOWED.get((operator, index), lambda _: False)(bad):
                continue
            if names[index] in ("scratch", "output_scratch"):
                continue
            if isinstance(bad, T) and (
                bad.null_data or bad.misalignment or not bad._is_permutation
            ):
                continue  # refused with the file

            assert not is_checked(operator, changed(operator, {index: bad})), (names[index], bad)


@pytest.mark.parametrize(
    "operator,changes", [case for case in BAD_VALUES if case[0] in UNCHECKED], ids=str
)
def test_what_does_not_fit_needs_a_check(operator: str, changes: dict[int, Any]) -> None:
    assert not is_checked(operator, changed(operator, changes))


CONV = "mcugen::conv2d_in_place.out"


@pytest.mark.parametrize(
    "place,checked",
    [
        pytest.param(4096, True, id="apart"),
        pytest.param(2048 - 60, True, id="as far before as it must"),
        pytest.param(2048, False, id="over its operand"),
        pytest.param(2048 + 8, False, id="behind its begin"),
    ],
)
def test_where_an_output_lies_over_its_operand_needs_a_check(place: int, checked: bool) -> None:
    """2 channels of 5 by 6 pixels from 4 of them: no byte before, at most."""
    arguments = CALLS[CONV]()

    assert is_checked(CONV, arguments, {0: 2048, len(arguments) - 1: place}) == checked


def test_scratch_over_another_argument_needs_a_check() -> None:
    operator = "mcugen::packed_linear.out"

    assert is_checked(operator, CALLS[operator](), {0: 64, 2: 128})
    assert not is_checked(operator, CALLS[operator](), {0: 64, 2: 72})


@pytest.mark.parametrize("operator", sorted(WIDENS))
def test_a_row_may_lie_in_the_scratch_that_it_is_widened_to(operator: str) -> None:
    """Of seven bytes, in sixteen of scratch."""
    rows, words, scratch, outs = CALLS[operator]()
    call = [T(rows.array[:1]), words, scratch, T(outs.array[:1])]

    assert is_checked(operator, call, {2: 1024, 0: 1024 + 8})
    assert not is_checked(operator, call, {2: 1024, 0: 1024 + 7})
    assert not is_checked(operator, [rows, words, scratch, outs], {2: 1024, 0: 1024 + 8})


@pytest.mark.parametrize(
    "values,instruction,plain",
    [
        (["Tensor", "Int", "IntList", "Null"], "KernelCall", True),
        (["Tensor", "TensorList"], "KernelCall", False),
        (["Tensor", "String"], "KernelCall", False),
        (["Tensor"], "MoveCall", False),
        (["Bool"], "JumpFalseCall", False),
    ],
)
def test_lists_of_tensors_and_jumps_need_the_whole_loader(
    values: list[str], instruction: str, plain: bool
) -> None:
    chain = SimpleNamespace(instructions=[SimpleNamespace(instr_args=type(instruction, (), {})())])
    plan = SimpleNamespace(
        values=[SimpleNamespace(val=type(kind, (), {})()) for kind in values], chains=[chain]
    )

    assert checked_calls.is_plain(plan) == plain
