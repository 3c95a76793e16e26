# SPDX-License-Identifier: BSD-3-Clause
"""The table of operators, and the check of a program's calls against their schemas."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from mcugen.base.errors import PteError, UnsupportedOperatorError
from mcugen.base.resources import executorch_dir, firmware_dir
from mcugen.program import calls, operator_table

ROOT = Path(__file__).resolve().parents[3]

# Values of a program, with the names that executorch.exir.schema gives their classes.


@dataclass
class Tensor:
    sizes: list[int]
    allocation_info: Any = "somewhere"
    data_buffer_idx: int = 0
    scalar_type: int = 1  # int8
    shape_dynamism: int = 0
    order: tuple[int, ...] = ()  #: in memory; none: as the axes come

    @property
    def dim_order(self) -> list[int]:
        return list(self.order or range(len(self.sizes)))


@dataclass
class Int:
    int_val: int


@dataclass
class Double:
    double_val: float


@dataclass
class Bool:
    bool_val: bool


@dataclass
class IntList:
    items: list[int]


@dataclass
class Null:
    pass


@dataclass
class KernelCall:
    op_index: int
    args: list[int]


@dataclass
class Plan:
    """An ExecutionPlan with one chain."""

    values: list[Any] = field(default_factory=list)
    operators: list[Any] = field(default_factory=list)
    instructions: list[Any] = field(default_factory=list)
    inputs: list[int] = field(default_factory=list)

    @property
    def chains(self) -> list[Any]:
        return [SimpleNamespace(instructions=self.instructions)]

    def value(self, value: Any) -> int:
        if isinstance(value, list):
            value = IntList([self.value(Int(item)) for item in value])
        self.values.append(SimpleNamespace(val=value))
        return len(self.values) - 1

    def call(self, name: str, *arguments: Any, returns_out: bool = True) -> None:
        """Append a call; `out` is the last argument."""
        base, _, overload = name.partition(".")
        self.operators.append(SimpleNamespace(name=base, overload=overload))
        args = [self.value(argument) for argument in arguments]
        if returns_out:
            args.append(args[-1])
        self.instructions.append(
            SimpleNamespace(instr_args=KernelCall(len(self.operators) - 1, args))
        )


def image(*sizes: int) -> Tensor:
    return Tensor(list(sizes), order=(0, 2, 3, 1))


def conv2d_arguments() -> list[Any]:
    scaling = [Tensor([2], scalar_type=3), Tensor([2], scalar_type=3)]
    return [
        *(image(1, 4, 5, 6), Tensor([2, 3, 3, 4]), Null(), [1, 1], [1, 1], [1, 1]),
        *(Int(0), Int(0), *scaling, Int(-128), Int(127)),
        *(Tensor([0]), image(1, 2, 5, 6)),
    ]


def declared_functions(family: str = "*") -> list[str]:
    headers = (firmware_dir() / "ops").glob(f"{family}/operators.h")
    return [
        name
        for header in headers
        for name in re.findall(r"^void (\w+)\(", header.read_text(), re.M)
    ]


def one_call(name: str, *arguments: Any, **options: Any) -> Plan:
    plan = Plan()
    plan.call(name, *arguments, **options)
    return plan


def test_all_cortex_m_operators_of_the_wheel_are_there() -> None:
    yaml = executorch_dir() / "backends/cortex_m/ops/operators.yaml"
    listed = re.findall(r"func: (cortex_m::[\w.]+)\(", yaml.read_text())

    assert len(listed) == 23
    assert [name for name in listed if not operator_table.supported(name)] == []


@pytest.mark.parametrize("name", operator_table.names())
def test_every_operator_has_its_function_where_the_table_says(name: str) -> None:
    operator = operator_table.operator(name)
    source = (firmware_dir() / "ops" / operator.file).read_text()

    assert f"void {operator.function}(" in source
    assert operator.function in declared_functions(operator.family)
    assert operator.dtypes


def sources(folder: str) -> list[Path]:
    return sorted((firmware_dir() / folder).rglob("*.cpp"))


def includes(path: Path) -> set[str]:
    return set(re.findall(r"^#include <([^>]+)>", path.read_text("utf-8"), re.M))


def kernels_by_function() -> dict[str, str]:
    """What operators call a kernel's functions (kernels/select.h) → its file, without "_scalar"."""
    texts = {path.stem: path.read_text() for path in (firmware_dir() / "kernels").glob("*.h")}
    declared = set(re.findall(r"^\w+ (\w+)\([^{}]*?\);", "\n".join(texts.values()), re.M))
    in_headers = {
        function: header
        for header, text in texts.items()
        for function in re.findall(r"^inline \w+ (\w+)_scalar\(", text, re.M)
    }
    return in_headers | {
        function.removesuffix("_scalar"): path.stem.removesuffix("_scalar")
        for path in sources("kernels")
        for function in re.findall(r"^\w+ (\w+)\(", path.read_text(), re.M)
        if function in declared
    }


def operator_sources() -> list[Path]:
    return [
        path for path in sources("ops") if path.parent.name != "common" and path.stem[:3] == "op_"
    ]


@pytest.mark.parametrize("path", operator_sources(), ids=lambda path: path.stem)
def test_the_table_names_the_kernels_that_a_source_calls(path: Path) -> None:
    """What is copied into a project follows from it."""
    file = path.relative_to(firmware_dir() / "ops").as_posix()
    kernels = kernels_by_function()
    code = re.sub(r'//.*|"[^"\n]*"', "", path.read_text())
    words = set(re.findall(r"\w+", code))
    entries = list(map(operator_table.operator, operator_table.names()))
    listed = {kernel for each in entries if each.file == file for kernel in each.kernels}
    called = {kernel for function, kernel in kernels.items() if function in words}
    # Those that a listed kernel calls are listed, too.
    behind = {
        header.removeprefix("kernels/").removesuffix(".h")
        for kernel in listed
        for source in sources("kernels")
        if source.stem.removesuffix("_scalar") == kernel
        for header in includes(source)
    }

    assert any(each.file == file for each in entries)
    assert called <= listed <= called | behind


def test_ops_h_declares_nothing_else() -> None:
    assert sorted(declared_functions()) == sorted(
        map(operator_table.function_for, operator_table.names())
    )


def test_function_names() -> None:
    assert operator_table.function_for("cortex_m::pad.out") == "cortex_m__pad_out"
    assert (
        operator_table.function_for("dim_order_ops::_clone_dim_order.out")
        == "dim_order_ops___clone_dim_order_out"
    )


def test_an_unknown_operator_gets_the_nearest_names() -> None:
    with pytest.raises(UnsupportedOperatorError) as caught:
        operator_table.function_for("cortex_m::quantized_conv3d.out")

    assert "cortex_m::quantized_conv3d.out" in caught.value.message
    assert "cortex_m::quantized_conv2d.out" in (caught.value.hint or "")


def test_accepts_a_good_call() -> None:
    calls.check_calls(one_call("cortex_m::quantized_conv2d.out", *conv2d_arguments()))


@pytest.mark.parametrize(
    "index,value,words",
    [
        (0, Tensor([1, 4, 5, 6]), r"'input' of shape .* lies in memory as .*N, H, W, C"),
        (0, Tensor([1, 4, 5, 6], scalar_type=6), "'input' is float32, it takes int8"),
        (7, Int(200), "'output_offset' is 200, it takes -128 to 127"),
        (13, image(1, 2, 5, 5), "the shapes do not go together"),
    ],
)
def test_refuses_a_call_that_the_device_would_refuse(index: int, value: Any, words: str) -> None:
    arguments = conv2d_arguments()
    arguments[index] = value
    plan = one_call("executorch_prim::add.Scalar", Int(1), Int(2), Int(0), returns_out=False)
    plan.call("cortex_m::quantized_conv2d.out", *conv2d_arguments())
    plan.call("cortex_m::quantized_conv2d.out", *arguments)

    with pytest.raises(calls.CallRefusedError, match=words) as caught:
        calls.check_calls(plan)

    assert "instruction 2, cortex_m::quantized_conv2d.out" in caught.value.message
    assert caught.value.call == 1  # arithmetic on numbers does not count: no layer is behind it
    assert caught.value.exit_code == 5


def test_names_operator_and_instruction_that_are_not_supported() -> None:
    plan = one_call("cortex_m::quantized_conv2d.out", *conv2d_arguments())
    plan.call("aten::erfinv.out", Tensor([1]), Tensor([1]))
    plan.call("aten::lgamma.out", Tensor([1]), Tensor([1]))

    with pytest.raises(UnsupportedOperatorError, match=r"aten::erfinv.out.*instruction 1") as error:
        calls.check_calls(plan)

    assert "which computes a tensor [1])" in error.value.message
    assert "aten::lgamma.out (1 calls)" in error.value.message


def test_names_another_release_by_its_argument_count() -> None:
    """conv2d had 12 arguments before ExecuTorch 1.4: such files load and then fail."""
    arguments = conv2d_arguments()
    del arguments[12]

    with pytest.raises(PteError, match="has 14 arguments, the operator takes 15") as caught:
        calls.check_calls(one_call("cortex_m::quantized_conv2d.out", *arguments))

    assert "instruction 0 (cortex_m::quantized_conv2d.out)" in caught.value.message
    assert "another ExecuTorch release" in (caught.value.hint or "")


@pytest.mark.parametrize(
    "index,value,kind,expected",
    [
        (0, Null(), "Null", "Tensor"),
        (3, Int(1), "Int", "int"),
        (6, Double(0.5), "Double", "int"),
        (13, Null(), "Null", "Tensor"),
    ],
)
def test_names_an_argument_of_a_wrong_kind(
    index: int, value: Any, kind: str, expected: str
) -> None:
    arguments = conv2d_arguments()
    arguments[index] = value

    with pytest.raises(PteError, match=f"argument {index} '.*' is {kind}, expected {expected}"):
        calls.check_calls(one_call("cortex_m::quantized_conv2d.out", *arguments))


def test_a_list_must_hold_ints() -> None:
    plan = one_call("cortex_m::quantized_conv2d.out", *conv2d_arguments())
    strides = plan.values[plan.instructions[0].instr_args.args[3]].val
    plan.values[strides.items[1]].val = Bool(True)

    with pytest.raises(PteError, match="argument 3 'stride' is no int"):
        calls.check_calls(plan)


def test_a_float_operator_takes_no_quantized_values() -> None:
    """What the exporter leaves where it finds no int8 operator; the scale is lost."""
    calls.check_calls(one_call("aten::hardswish.out", *[Tensor([1, 8], scalar_type=6)] * 2))
    plan = one_call("aten::hardswish.out", Tensor([1, 8]), Tensor([1, 8]))

    with pytest.raises(UnsupportedOperatorError, match=r"aten::hardswish\.out.* int8") as caught:
        calls.check_calls(plan)

    assert "instruction 0, which computes a tensor [1, 8]" in caught.value.message
    assert "no int8 operator" in (caught.value.hint or "")
    assert caught.value.exit_code == 5


def test_a_number_may_be_int_or_double() -> None:
    for low, high in [(Int(0), Double(6.0)), (Double(0.0), Int(6))]:
        calls.check_calls(one_call("aten::hardtanh.out", Tensor([1]), low, high, Tensor([1])))
    calls.check_calls(one_call("aten::clamp.out", Tensor([1]), Null(), Int(6), Tensor([1])))


def test_the_return_value_must_be_out() -> None:
    plan = one_call("aten::relu.out", Tensor([1]), Tensor([1]), returns_out=False)
    plan.instructions[0].instr_args.args.append(0)

    with pytest.raises(PteError, match="returns another value than its 'out'"):
        calls.check_calls(plan)


def test_out_must_not_be_a_constant() -> None:
    """It lies in flash: writing there faults."""
    constant = Tensor([1], allocation_info=None, data_buffer_idx=3)

    with pytest.raises(PteError, match="writes to a constant"):
        calls.check_calls(one_call("aten::relu.out", Tensor([1]), constant))


def test_counts_macs() -> None:
    plan = one_call("cortex_m::quantized_conv2d.out", *conv2d_arguments())
    plan.call("aten::relu.out", Tensor([1]), Tensor([1]))

    assert calls.macs(plan) == (2 * 5 * 6) * (3 * 3 * 4)


@pytest.mark.parametrize(
    ("name", "arguments", "expected"),
    [
        ("aten::mm.out", [Tensor([2, 3]), Tensor([3, 5]), Tensor([2, 5])], 2 * 5 * 3),
        ("aten::bmm.out", [Tensor([4, 2, 3]), Tensor([4, 3, 5]), Tensor([4, 2, 5])], 4 * 2 * 5 * 3),
        ("aten::linear.out", [Tensor([2, 3]), Tensor([5, 3]), Null(), Tensor([2, 5])], 2 * 5 * 3),
        (
            "aten::addmm.out",
            [Tensor([5]), Tensor([2, 3]), Tensor([3, 5]), Int(1), Int(1), Tensor([2, 5])],
            2 * 5 * 3,
        ),
    ],
)
def test_counts_macs_of_float_products(name: str, arguments: list, expected: int) -> None:
    assert calls.macs(one_call(name, *arguments)) == expected


@pytest.mark.parametrize(
    ("transposed", "weight", "expected"),
    [(False, [6, 2, 3, 3], (6 * 5 * 5) * (2 * 9)), (True, [4, 3, 3, 3], (4 * 7 * 7) * (3 * 9))],
)
def test_counts_macs_of_float_convolutions(transposed, weight, expected) -> None:
    """In two groups: each output sees half of the inputs."""
    arguments = [
        *(Tensor([1, 4, 7, 7]), Tensor(weight), Null(), Null(), Null(), Null()),
        *(Bool(transposed), Null(), Int(2), Tensor([1, 6, 5, 5])),
    ]

    assert calls.macs(one_call("aten::convolution.out", *arguments)) == expected


@pytest.mark.torch
@pytest.mark.parametrize("model", ["kws", "vww", "ic", "ad"])
def test_macs_of_the_mlperf_tiny_workloads(model: str) -> None:
    """Deserializing imports torch."""
    from executorch.exir._serialize._program import deserialize_pte_binary

    known = json.loads((ROOT / "generator/mcugen/cli/suite/published.json").read_text())["macs"]
    data = (ROOT / f"tests/golden/mlperf_tiny/{model}_cm_q_m4.pte").read_bytes()
    plan = deserialize_pte_binary(data).program.execution_plan[0]

    calls.check_calls(plan)

    assert calls.macs(plan) == known[model]
