# SPDX-License-Identifier: BSD-3-Clause
"""Reading and changing a method of a deserialized program."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from mcugen.program.artifact import DTYPES
from mcugen.program.operator_table import operator, supported
from mcugen.program.values import call_name, operator_index

_SCALAR_TYPES = {name: number for number, (name, _) in DTYPES.items()}


class Method:
    """An execution plan and the constants of its program, to be changed in place."""

    def __init__(self, program: Any, plan: Any) -> None:
        self.program = program
        self.plan = plan

    def calls(self) -> Iterator[Call]:
        """Yield the calls of operators that the firmware has; they may be rewritten meanwhile."""
        for chain in self.plan.chains:
            for instruction in chain.instructions:
                call = instruction.instr_args
                if type(call).__name__ == "KernelCall" and supported(call_name(self.plan, call)):
                    yield Call(self, call)

    def constant(self, index: int) -> np.ndarray | None:
        """Return a constant tensor in memory order, None for another value.

        Axes of one element may stand anywhere in that order: then it has the tensor's own.
        """
        value = self.plan.values[index].val
        if type(value).__name__ != "Tensor" or value.allocation_info is not None:
            return None
        if not value.data_buffer_idx:
            return None
        data = self.program.constant_buffer[value.data_buffer_idx].storage
        dtype = np.dtype(DTYPES[int(value.scalar_type)][0])
        axes = [axis for axis in value.dim_order if value.sizes[axis] != 1]
        moved = axes != sorted(axes)
        sizes = [value.sizes[axis] for axis in value.dim_order] if moved else list(value.sizes)
        return np.frombuffer(bytes(data), dtype, int(np.prod(sizes, dtype=np.int64))).reshape(sizes)

    def add_constant(self, array: np.ndarray) -> int:
        """Add a constant tensor in the order of its axes; return its index."""
        from executorch.exir.schema import Buffer

        self.program.constant_buffer.append(Buffer(storage=np.ascontiguousarray(array).tobytes()))
        place = len(self.program.constant_buffer) - 1
        return self._add_tensor(array.dtype.name, array.shape, place)

    def add_number(self, number: int | bool) -> int:
        """Add an int or a bool; return its index."""
        from executorch.exir.schema import Bool, EValue, Int

        value = Bool(number) if isinstance(number, bool) else Int(int(number))
        self.plan.values.append(EValue(val=value))
        return len(self.plan.values) - 1

    def add_numbers(self, numbers: Sequence[int]) -> int:
        """Add an int[]; return its index."""
        from executorch.exir.schema import EValue, IntList

        items = [self.add_number(each) for each in numbers]
        self.plan.values.append(EValue(val=IntList(items)))
        return len(self.plan.values) - 1

    def add_scratch(self) -> int:
        """Add working memory of no bytes yet, for the planner to size; return its index."""
        from executorch.exir.schema import AllocationDetails

        index = self._add_tensor("uint8", (0,), 0)
        self.plan.values[index].val.allocation_info = AllocationDetails(1, 0, 0)
        return index

    def _add_tensor(self, dtype: str, shape: tuple[int, ...], place: int) -> int:
        from executorch.exir.scalar_type import ScalarType
        from executorch.exir.schema import EValue, Tensor, TensorShapeDynamism

        self.plan.values.append(
            EValue(
                val=Tensor(
                    scalar_type=ScalarType(_SCALAR_TYPES[dtype]),
                    storage_offset=0,
                    sizes=list(shape),
                    dim_order=list(range(len(shape))),
                    requires_grad=False,
                    layout=0,
                    data_buffer_idx=place,
                    allocation_info=None,
                    shape_dynamism=TensorShapeDynamism.STATIC,
                )
            )
        )
        return len(self.plan.values) - 1


class Call:
    """A kernel call, its arguments by the names of the operator's schema."""

    def __init__(self, method: Method, call: Any) -> None:
        self.method = method
        self.call = call
        self.name = call_name(method.plan, call)
        names = [argument.name for argument in operator(self.name).arguments]
        self._places = {name: place for place, name in enumerate(names[: len(call.args)])}

    def has(self, name: str) -> bool:
        """Whether the operator has such an argument."""
        return name in self._places

    def index(self, name: str) -> int:
        """Return an argument's value index."""
        return self.call.args[self._places[name]]

    def value(self, name: str) -> Any:
        """Return an argument's value."""
        return self.method.plan.values[self.index(name)].val

    def integer(self, name: str) -> int:
        """Return an int."""
        return int(self.value(name).int_val)

    def ints(self, name: str) -> list[int]:
        """Return an int[]."""
        return [int(self.method.plan.values[i].val.int_val) for i in self.value(name).items]

    def constant(self, name: str) -> np.ndarray | None:
        """Return a constant argument in memory order, None for another."""
        return self.method.constant(self.index(name))

    def is_none(self, name: str) -> bool:
        """Whether an optional argument is none."""
        return type(self.value(name)).__name__ == "Null"

    def sizes(self, name: str) -> tuple[int, ...]:
        """Return a tensor's shape."""
        return tuple(self.value(name).sizes)

    @property
    def is_static(self) -> bool:
        """Whether no tensor of the call changes its shape."""
        values = (self.method.plan.values[index].val for index in self.call.args)
        tensors = (each for each in values if type(each).__name__ == "Tensor")
        return all(int(each.shape_dynamism) == 0 for each in tensors)

    def replace(self, name: str, index: int) -> None:
        """Give an argument another value."""
        self.call.args[self._places[name]] = index

    def becomes(self, name: str, arguments: list[int]) -> None:
        """Make it a call of another operator with the same `out`, which it also returns."""
        out = self.index("out")
        self.call.op_index = operator_index(self.method.plan, name)
        self.call.args = [*arguments, out, out]
