# SPDX-License-Identifier: BSD-3-Clause
"""Which results may lie where an operand was, and which copies are none, one rule a test."""

from __future__ import annotations

from math import prod

import pytest
from executorch.exir import schema as s
from executorch.exir.scalar_type import ScalarType

from mcugen.program.planning.copies import drop_copies
from mcugen.program.planning.in_place import join_in_place
from mcugen.program.planning.lifetimes import find_blocks


class Net:
    """A method of tensors by name, each in memory of its own unless it says where it lies."""

    def __init__(self, inputs: str, outputs: str) -> None:
        self.names: dict[str, int] = {}
        self.values: list[s.EValue] = []
        self.operators: list[s.Operator] = []
        self.instructions: list[s.Instruction] = []
        self.planned = 0
        self.ends = inputs.split(), outputs.split()

    def tensor(
        self,
        name: str,
        *sizes: int,
        order: tuple[int, ...] | None = None,
        dtype: ScalarType = ScalarType.CHAR,
        at: int | None = None,
        planned: bool = True,
    ) -> None:
        offset = self.planned if at is None else at
        self.planned = max(self.planned, offset + 64 * -(-prod(sizes) * 4 // 64))
        self.names[name] = self.value(
            s.Tensor(
                scalar_type=dtype,
                storage_offset=0,
                sizes=list(sizes),
                dim_order=list(order or range(len(sizes))),
                requires_grad=False,
                layout=0,
                data_buffer_idx=0,
                allocation_info=s.AllocationDetails(1, offset, 0) if planned else None,
                shape_dynamism=s.TensorShapeDynamism.STATIC,
            )
        )

    def value(self, value: object) -> int:
        self.values.append(s.EValue(value))
        return len(self.values) - 1

    def call(self, name: str, *arguments: str | int | list[int]) -> None:
        base, _, overload = name.partition(".")
        self.operators.append(s.Operator(base, overload))
        args = []
        for argument in arguments:
            if isinstance(argument, str):
                args.append(self.names[argument])
            elif isinstance(argument, list):
                items = [self.value(s.Int(item)) for item in argument]
                args.append(self.value(s.IntList(items)))
            else:
                args.append(self.value(s.Int(argument)))
        args.append(args[0] if base.endswith("_") else args[-1])  # the return value
        call = s.KernelCall(len(self.operators) - 1, args)
        self.instructions.append(s.Instruction(call))

    def plan(self) -> s.ExecutionPlan:
        inputs, outputs = ([self.names[name] for name in end] for end in self.ends)
        return s.ExecutionPlan(
            name="forward",
            container_meta_type=s.ContainerMetadata("", ""),
            values=self.values,
            inputs=inputs,
            outputs=outputs,
            chains=[s.Chain([], [], self.instructions, None)],
            operators=self.operators,
            delegates=[],
            non_const_buffer_sizes=[0, self.planned],
        )

    def groups(self, blocks) -> set[str]:
        """The names of the tensors of each block that has several."""
        names = {index: name for name, index in self.names.items()}
        found = [" ".join(sorted(names[i] for i in block.members)) for block in blocks]
        return {group for group in found if " " in group}

    def in_place(self) -> set[str]:
        plan = self.plan()
        return self.groups(join_in_place(plan, find_blocks(plan)))

    def views(self) -> set[str]:
        plan = self.plan()
        blocks = find_blocks(plan)
        assert self.groups(blocks) == set()
        dropped = drop_copies(plan, blocks)
        groups = self.groups(blocks)
        assert bool(dropped) == bool(groups)
        return groups


def net(*names: str, inputs: str = "x", outputs: str = "z") -> Net:
    made = Net(inputs, outputs)
    for name in names:
        made.tensor(name, 2, 3)
    return made


# --- in place


def test_a_result_takes_the_place_of_its_only_operand():
    made = net("x", "y", "z")
    made.call("aten::relu.out", "x", "y")
    made.call("aten::relu.out", "y", "z")

    assert made.in_place() == {"x y z"}


def test_an_operand_that_is_read_again_stays():
    made = net("x", "y", "z")
    made.call("aten::relu.out", "x", "y")
    made.call("aten::maximum.out", "x", "y", "z")

    assert made.in_place() == {"x z"}


def test_an_operand_that_is_an_output_stays():
    made = net("x", "y", "z", outputs="y z")
    made.call("aten::neg.out", "x", "y")
    made.call("aten::relu.out", "y", "z")

    assert made.in_place() == set()


def test_the_second_operand_will_do():
    made = net("x", "y", "z", "w", outputs="x z")
    made.call("aten::neg.out", "x", "y")
    made.call("aten::maximum.out", "x", "y", "z")

    assert made.in_place() == {"y z"}


def test_an_operand_that_is_broadcast_stays():
    made = net("x", "z", inputs="x v", outputs="x z")
    made.tensor("v", 1, 3)
    made.call("aten::maximum.out", "x", "v", "z")

    assert made.in_place() == set()


def test_an_operand_of_another_order_in_memory_stays():
    made = net("x")
    made.tensor("z", 2, 3, order=(1, 0))
    made.call("aten::relu.out", "x", "z")

    assert made.in_place() == set()


def test_an_operand_of_another_type_stays():
    made = net("x")
    made.tensor("z", 2, 3, dtype=ScalarType.BYTE)
    made.call("aten::relu.out", "x", "z")

    assert made.in_place() == set()


def test_a_view_that_the_call_also_reads_holds_its_memory():
    """Row 0 is read again for row 1, when the result has been written over it."""
    made = net("x", "z")
    made.tensor("row", 1, 3, at=0)
    made.call("aten::maximum.out", "x", "row", "z")

    assert made.in_place() == {"row x"}


def test_an_operator_that_reads_on_after_writing_does_not():
    made = net("x", "z")
    made.call("aten::cumsum.out", "x", 1, 0, "z")

    assert made.in_place() == set()


def test_what_is_kept_for_the_next_inference_stays():
    made = net("x", "kept", "z")
    made.call("aten::relu.out", "kept", "z")
    made.call("aten::copy_", "kept", "x", 0)

    assert made.in_place() == set()


# --- copies


@pytest.mark.parametrize(
    ("name", "more"),
    [
        ("aten::clone.out", [0]),
        ("dim_order_ops::_clone_dim_order.out", [0, [0, 1]]),
        ("cortex_m::pad.out", [[0, 0, 0, 0], [0, 0, 0, 0], 0]),
    ],
)
def test_a_copy_is_a_view(name, more):
    made = net("x", "y", "z")
    made.call(name, "x", *more, "y")
    made.call("aten::relu.out", "y", "z")

    assert made.views() == {"x y"}


def test_another_shape_of_the_same_bytes_is_a_view():
    made = net("x")
    made.tensor("z", 6)
    made.call("aten::view_copy.out", "x", [6], "z")

    assert made.views() == {"x z"}


def test_another_shape_of_a_transposed_tensor_is_none():
    made = net()
    made.tensor("x", 2, 3, order=(1, 0))
    made.tensor("z", 6)
    made.call("aten::view_copy.out", "x", [6], "z")

    assert made.views() == set()


@pytest.mark.parametrize(
    ("order_in", "permutation", "order_out", "view"),
    [
        ((0, 1, 2, 3), (0, 2, 3, 1), (0, 1, 2, 3), False),
        ((0, 2, 3, 1), (0, 2, 3, 1), (0, 1, 2, 3), True),
        ((0, 1, 2, 3), (0, 2, 3, 1), (0, 3, 1, 2), True),
        ((0, 1, 2, 3), (0, 3, 1, 2), (0, 2, 3, 1), True),
        ((0, 1, 2, 3), (0, 3, 1, 2), (0, 3, 1, 2), False),
    ],
)
@pytest.mark.parametrize("name", ["aten::permute_copy.out", "cortex_m::transpose.out"])
def test_a_permutation_that_moves_nothing_is_a_view(name, order_in, permutation, order_out, view):
    sizes = (1, 2, 3, 5)
    made = net()
    made.tensor("x", *sizes, order=order_in)
    made.tensor("z", *(sizes[axis] for axis in permutation), order=order_out)
    made.call(name, "x", list(permutation), "z")

    assert made.views() == ({"x z"} if view else set())


def test_a_permutation_of_one_pixel_is_a_view():
    made = net()
    made.tensor("x", 1, 8, 1, 1)
    made.tensor("z", 1, 1, 1, 8)
    made.call("cortex_m::transpose.out", "x", [0, 2, 3, 1], "z")

    assert made.views() == {"x z"}


def test_padding_with_something_is_none():
    made = net("x")
    made.tensor("z", 2, 5)
    made.call("cortex_m::pad.out", "x", [0, 0, 0, 1], [0, 0, 0, 1], 0, "z")

    assert made.views() == set()


def test_a_copy_of_what_is_written_later_is_none():
    """The state's old value goes out, the new one stays in."""
    made = net("x", "kept", "z")
    made.call("aten::clone.out", "kept", 0, "z")
    made.call("aten::copy_", "kept", "x", 0)

    assert made.views() == set()


def test_a_copy_that_is_written_itself_is_none():
    made = net("x", "y", "z", outputs="x z")
    made.call("aten::clone.out", "x", 0, "y")
    made.call("aten::relu.out", "x", "z")
    made.call("aten::copy_", "y", "z", 0)

    assert made.views() == set()


def test_a_copy_of_what_has_no_planned_memory_is_none():
    made = net("z")
    made.tensor("x", 2, 3, planned=False)
    made.call("aten::clone.out", "x", 0, "z")

    assert made.views() == set()


# --- lifetimes


def test_state_lives_always_and_a_view_with_what_it_is_of():
    made = net("x", "kept", "z")
    made.tensor("row", 3, at=0)
    made.call("aten::maximum.out", "x", "kept", "z")
    made.call("aten::copy_", "kept", "z", 0)
    made.call("aten::relu.out", "row", "z")

    blocks = {frozenset(block.members): block for block in find_blocks(made.plan())}

    kept = blocks[frozenset({made.names["kept"]})]
    assert (kept.always, kept.first, kept.last) == (True, -1, 3)
    view = blocks[frozenset({made.names["x"], made.names["row"]})]
    assert (view.always, view.first, view.last, view.size) == (False, -1, 2, 6)
    result = blocks[frozenset({made.names["z"]})]
    assert (result.first, result.last, result.written) == (0, 3, [0, 2])


def test_state_that_is_read_by_a_view_and_written_whole_is_one_block():
    made = net("x", "kept", "z")
    made.tensor("row", 3, at=64)
    made.call("aten::relu.out", "row", "z")
    made.call("aten::copy_", "kept", "x", 0)

    (block,) = (block for block in find_blocks(made.plan()) if block.always)

    assert block.members == {made.names["kept"]: 0, made.names["row"]: 0}


def test_half_of_what_was_written_over_is_not_followed():
    made = net("x", "y", "z")
    made.tensor("over", 3, at=64)
    made.call("aten::relu.out", "x", "y")
    made.call("aten::relu.out", "x", "over")
    made.call("aten::relu.out", "y", "z")

    assert find_blocks(made.plan()) is None
