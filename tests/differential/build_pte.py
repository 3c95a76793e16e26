# SPDX-License-Identifier: BSD-3-Clause
"""Write many operator calls as one `.pte`, in the exporter's schema and without the exporter.

Inputs are constants of the file. What the calls write lies in one planned buffer, and the method's
only output is that whole buffer as uint8: one read gets all results. A number that symbolic
arithmetic gives is put into a tensor by `aten::full`, as in an exported model.

Imports torch (through executorch.exir).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from executorch.exir import schema as s
from executorch.exir._serialize._program import PTEFile, serialize_pte_binary
from executorch.exir.scalar_type import ScalarType
from op_case import OpCase, Out, T
from op_host import DTYPES

from mcugen.program import operator_table

ALIGNMENT = 16


@dataclass(frozen=True)
class Slot:
    """Where one result lies in the output."""

    offset: int
    nbytes: int
    dtype: str


@dataclass(frozen=True)
class Batch:
    pte: bytes
    slots: tuple[tuple[Slot, ...], ...]  #: per case, per tensor written
    nbytes: int  #: of the output

    def split(self, output: bytes) -> list[list[bytes]]:
        """Return the results of each case."""
        return [
            [output[slot.offset : slot.offset + slot.nbytes] for slot in slots]
            for slots in self.slots
        ]


class Builder:
    """Collects the values and instructions of the method."""

    def __init__(self) -> None:
        self.values: list[s.EValue] = []
        self.operators: list[s.Operator] = []
        self.instructions: list[s.Instruction] = []
        self.constants: list[s.Buffer] = [s.Buffer(b"")]
        self.planned = 0
        self.scratch: list[int] = []
        self.scratch_bytes = 0
        self.slots: list[tuple[Slot, ...]] = []

    def value(self, val: object) -> int:
        self.values.append(s.EValue(val=val))
        return len(self.values) - 1

    def _tensor(
        self,
        dtype: str,
        shape: Sequence[int],
        order: Sequence[int] | None,
        *,
        constant: int = 0,
        offset: int | None = None,
    ) -> int:
        planned = None if offset is None else s.AllocationDetails(1, offset & 0xFFFFFFFF, 0)
        return self.value(
            s.Tensor(
                scalar_type=ScalarType(DTYPES[np.dtype(dtype)]),
                storage_offset=0,
                sizes=list(shape),
                dim_order=list(range(len(shape)) if order is None else order),
                requires_grad=False,
                layout=0,
                data_buffer_idx=constant,
                allocation_info=planned,
                shape_dynamism=s.TensorShapeDynamism.STATIC,
                extra_tensor_info=None,
            )
        )

    def constant(self, tensor: T) -> int:
        data = tensor.memory()
        array = tensor.array
        if not data:  # there is no constant of no bytes: buffer 0 means "not a constant"
            return self.place(Out(array.dtype.name, array.shape, tensor.order))[0]
        self.constants.append(s.Buffer(data))
        return self._tensor(
            array.dtype.name, array.shape, tensor.order, constant=len(self.constants) - 1
        )

    def place(self, out: Out) -> tuple[int, Slot]:
        """Make a tensor in planned memory."""
        assert out.shape is not None
        offset = self.planned
        nbytes = int(np.prod(out.shape, dtype=np.int64)) * np.dtype(out.dtype).itemsize
        self.planned += -(-max(nbytes, 1) // ALIGNMENT) * ALIGNMENT
        index = self._tensor(out.dtype, out.shape, out.order, offset=offset)
        return index, Slot(offset, nbytes, out.dtype)

    def working_memory(self, scratch: np.ndarray) -> int:
        """Make a tensor behind all results, in bytes that all calls share."""
        self.scratch.append(self._tensor(scratch.dtype.name, scratch.shape, None, offset=0))
        self.scratch_bytes = max(self.scratch_bytes, scratch.nbytes)
        return self.scratch[-1]

    def argument(self, kind: str, value: Any) -> int:
        """Make a value of the schema's type `kind`."""
        kind = kind.removesuffix("?")
        if value is None:
            return self.value(s.Null())
        if isinstance(value, T):
            return self.constant(value)
        if kind in ("Tensor[]", "Tensor?[]"):
            items = [-1 if each is None else self.constant(each) for each in value]
            cls = s.TensorList if kind == "Tensor[]" else s.OptionalTensorList
            return self.value(cls(items))
        if kind == "int[]":
            values = [value] if isinstance(value, int) else value
            return self.value(s.IntList([self.value(s.Int(int(each))) for each in values]))
        if kind == "bool[]":
            return self.value(s.BoolList([bool(each) for each in value]))
        if kind == "float[]":
            return self.value(s.DoubleList([float(each) for each in value]))
        if isinstance(value, str):
            return self.value(s.String(value))
        if isinstance(value, bool | np.bool_):
            return self.value(s.Bool(bool(value)))
        if kind == "float" or isinstance(value, float | np.floating):
            return self.value(s.Double(float(value)))
        return self.value(s.Int(int(value)))

    def call(self, name: str, args: list[int]) -> None:
        base, dot, overload = name.rpartition(".")
        operator = s.Operator(base, overload) if dot else s.Operator(name, "")
        if operator not in self.operators:
            self.operators.append(operator)
        index = self.operators.index(operator)
        self.instructions.append(s.Instruction(s.KernelCall(index, args)))

    def case(self, case: OpCase) -> None:
        arguments = operator_table.operator(case.op).arguments
        given = list(case.args)
        outs = list(case.outs)
        slots: list[Slot] = []
        args: list[int] = []
        written: list[int] = []
        for argument in arguments:
            if argument.name.endswith("scratch") and not argument.written:
                args.append(self.working_memory(given.pop(0).array))
            elif not argument.written:
                args.append(self.argument(argument.type, given.pop(0)))
            elif argument.type == "Tensor[]":
                placed = [self.place(out) for out in outs]
                slots += [slot for _, slot in placed]
                items = [index for index, _ in placed]
                written += [self.value(s.TensorList(items)), self.value(s.TensorList(items))]
                args.append(written[0])
            else:
                index, slot = self.place(outs.pop(0))
                if argument.name != "scratch":  # what is left there means nothing
                    slots.append(slot)
                written.append(index)
                args.append(index)
        assert not given, f"{case.op}: {len(given)} arguments too many"
        if not written:
            self._scalar(case, args)
            return
        if len(written) == 1:
            args.append(written[0])
        elif arguments[-1].type == "Tensor[]":
            args.append(written[1])
        else:
            args.append(self.value(s.TensorList(written)))
        self.call(case.op, args)
        self.slots.append(tuple(slots))

    def _scalar(self, case: OpCase, args: list[int]) -> None:
        """A call that leaves a number: made a tensor of one element of the case's dtype."""
        dtype = case.outs[0].dtype if case.outs else "int64"
        start = {"bool": s.Bool(False), "int64": s.Int(0)}.get(dtype, s.Double(0.0))
        result = self.value(start)
        self.call(case.op, [*args, result])
        # No operator of the firmware takes float64 tensors.
        index, slot = self.place(Out("float32" if dtype == "float64" else dtype, (1,)))
        sizes = self.argument("int[]", [1])
        self.call(
            "aten::full.out",
            [sizes, result, index, index],
        )
        self.slots.append((slot,))

    def batch(self) -> Batch:
        nbytes = max(self.planned, ALIGNMENT)
        output = self._tensor("uint8", (nbytes,), None, offset=0)
        for index in self.scratch:
            self.values[index].val.allocation_info.memory_offset_low = nbytes
        plan = s.ExecutionPlan(
            name="forward",
            container_meta_type=s.ContainerMetadata("", ""),
            values=self.values,
            inputs=[],
            outputs=[output],
            chains=[s.Chain([], [], self.instructions, None)],
            operators=self.operators,
            delegates=[],
            non_const_buffer_sizes=[0, nbytes + self.scratch_bytes],
        )
        program = s.Program(
            version=0,
            execution_plan=[plan],
            constant_buffer=self.constants,
            backend_delegate_data=[],
            segments=[],
            constant_segment=s.SubsegmentOffsets(0, []),
            mutable_data_segments=None,
            named_data=None,
        )
        # The host runtime takes constants from a segment only.
        pte = bytes(
            serialize_pte_binary(
                PTEFile(program=program),
                constant_tensor_alignment=ALIGNMENT,
                segment_alignment=ALIGNMENT,
            )
        )
        return Batch(pte, tuple(self.slots), nbytes)


def build_pte(cases: Sequence[OpCase]) -> Batch:
    """Return the program of these calls; all shapes of outputs must be known."""
    builder = Builder()
    for case in cases:
        builder.case(case)
    return builder.batch()
