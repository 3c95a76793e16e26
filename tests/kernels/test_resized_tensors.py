# SPDX-License-Identifier: BSD-3-Clause
"""Operators that change a tensor's memory or size: `et_view`, `et_copy_index`, bounded outputs.

Programs of several calls, as the exporter writes them; the reference is ExecuTorch's own runtime.
"""

from __future__ import annotations

import struct
import subprocess
from pathlib import Path

import numpy as np
import pytest

pytestmark = pytest.mark.torch

FLOATS = np.arange(6, dtype=np.float32)
STATIC, BOUNDED = 0, 1


def program(calls: list[tuple[str, str, list[object]]], planned: int = 1024) -> bytes:
    """A method of these calls, which returns its last tensor.

    Arguments: an array is a constant; (shape, dynamism, offset or None) a new tensor of floats,
    without memory for None; a str an argument of before by name, as in "0.1": call 0, argument 1.
    """
    from executorch.exir import schema as s
    from executorch.exir._serialize._program import PTEFile, serialize_pte_binary
    from executorch.exir.scalar_type import ScalarType

    values: list[s.EValue] = []
    constants = [s.Buffer(b"")]
    operators: list[s.Operator] = []
    instructions: list[s.Instruction] = []
    made: dict[str, int] = {}

    def value(val: object) -> int:
        values.append(s.EValue(val=val))
        return len(values) - 1

    def tensor(shape: tuple[int, ...], dynamism: int, offset: int | None, constant: int) -> int:
        return value(
            s.Tensor(
                scalar_type=ScalarType.FLOAT,
                storage_offset=0,
                sizes=list(shape),
                dim_order=list(range(len(shape))),
                requires_grad=False,
                layout=0,
                data_buffer_idx=constant,
                allocation_info=None if offset is None else s.AllocationDetails(1, offset, 0),
                shape_dynamism=s.TensorShapeDynamism(dynamism),
            )
        )

    def encode(argument: object) -> int:
        if isinstance(argument, str):
            return made[argument]
        if isinstance(argument, np.ndarray):
            constants.append(s.Buffer(argument.astype(np.float32).tobytes()))
            return tensor(argument.shape, STATIC, None, len(constants) - 1)
        if isinstance(argument, tuple):
            return tensor(*argument, 0)
        if argument is None:
            return value(s.Null())
        if isinstance(argument, bool):
            return value(s.Bool(argument))
        if isinstance(argument, list):
            return value(s.IntList([value(s.Int(each)) for each in argument]))
        return value(s.Int(argument))

    for number, (name, overload, arguments) in enumerate(calls):
        for position, argument in enumerate(arguments):
            made[f"{number}.{position}"] = encode(argument)
        operators.append(s.Operator(name, overload))
        args = [made[f"{number}.{position}"] for position in range(len(arguments))]
        instructions.append(s.Instruction(s.KernelCall(len(operators) - 1, args)))
    tensors = [i for i, each in enumerate(values) if isinstance(each.val, s.Tensor)]
    outputs = [i for i in tensors if not values[i].val.data_buffer_idx][-1:]
    plan = s.ExecutionPlan(
        name="forward",
        container_meta_type=s.ContainerMetadata("", ""),
        values=values,
        inputs=[],
        outputs=outputs,
        chains=[s.Chain([], [], instructions, None)],
        operators=operators,
        delegates=[],
        non_const_buffer_sizes=[0, planned],
    )
    whole = s.Program(
        version=0,
        execution_plan=[plan],
        constant_buffer=constants,
        backend_delegate_data=[],
        segments=[],
        constant_segment=s.SubsegmentOffsets(0, []),
        mutable_data_segments=None,
        named_data=None,
    )
    return bytes(serialize_pte_binary(PTEFile(program=whole)))


def ours(pte_host: Path, pte: bytes) -> tuple[bytes, str]:
    """Return the output, and the error with its log lines, of our runtime and operators."""
    request = struct.pack("<II", len(pte), 0) + pte
    done = subprocess.run([str(pte_host)], input=request, capture_output=True, timeout=60)
    assert not done.stderr, done.stderr[-3000:]
    error, text, size = struct.unpack_from("<III", done.stdout)
    message = done.stdout[12 : 12 + text].decode()
    return done.stdout[12 + text : 12 + text + size], f"{error:#x} {message}" if error else ""


def host_runtime(pte: bytes) -> bytes:
    from executorch.runtime import Runtime

    method = Runtime.get().load_program(pte).load_method("forward")
    assert method is not None
    (output,) = method.execute([])
    return bytes(output.numpy().tobytes())


VIEW = ("executorch_prim::et_view", "default")
COPY = ("executorch_prim::et_copy_index", "tensor")
ROW = FLOATS[:3]


def view(size: list[int], shape: tuple[int, ...], dynamism: int = STATIC) -> bytes:
    return program(
        [
            (*VIEW, [FLOATS.reshape(2, 3), size, (shape, dynamism, None)]),
            ("aten::neg", "out", ["0.2", (shape, STATIC, 0), "1.1"]),
        ]
    )


@pytest.mark.parametrize(
    "size,shape",
    [([3, 2], (3, 2)), ([-1], (6,)), ([3, -1], (3, 2)), ([1, 6, 1], (1, 6, 1))],
    ids=str,
)
def test_a_view_has_the_memory_of_its_source(
    pte_host: Path, size: list[int], shape: tuple[int, ...]
) -> None:
    pte = view(size, shape)

    output, error = ours(pte_host, pte)

    assert not error
    assert output == host_runtime(pte) == (-FLOATS).tobytes()


@pytest.mark.parametrize(
    "size,shape,dynamism",
    [
        ([4, -1], (3, 2), STATIC),
        ([-1, -1], (3, 2), STATIC),
        ([2, 2], (2, 2), STATIC),
        ([6], (3, 2), STATIC),
        ([3, -2], (3, 2), STATIC),
        ([1 << 40, 1 << 40], (3, 2), STATIC),
        ([3, 2], (6, 2), BOUNDED),  # could be resized to more than there is memory for
    ],
    ids=str,
)
def test_refuses_views_of_another_size(
    pte_host: Path, size: list[int], shape: tuple[int, ...], dynamism: int
) -> None:
    output, error = ours(pte_host, view(size, shape, dynamism))

    assert "executorch_prim::et_view.default: " in error and not output


def rows(indices: list[int], shape: tuple[int, ...], dynamism: int, row: np.ndarray) -> bytes:
    calls = [(*COPY, [(shape, dynamism, 0), row, indices[0]])]
    calls += [(*COPY, ["0.0", row + number, index]) for number, index in enumerate(indices[1:], 1)]
    return program(calls)


@pytest.mark.parametrize(
    "indices,shape,dynamism",
    [([0, 1], (2, 3), BOUNDED), ([0], (4, 3), BOUNDED), ([0, 1, 2], (3, 3), BOUNDED)],
    ids=str,
)
def test_a_loop_collects_rows(
    pte_host: Path, indices: list[int], shape: tuple[int, ...], dynamism: int
) -> None:
    pte = rows(indices, shape, dynamism, ROW)

    output, error = ours(pte_host, pte)

    expected = np.concatenate([ROW + number for number in range(len(indices))])
    assert not error
    assert output == host_runtime(pte) == expected.tobytes()


@pytest.mark.parametrize(
    "indices,shape,dynamism",
    [
        ([0, 1, 2], (2, 3), BOUNDED),  # a row too many
        ([0], (2, 3), STATIC),
        ([-1], (2, 3), BOUNDED),
        ([(1 << 31) - 1], (2, 3), BOUNDED),
        ([1 << 40], (2, 3), BOUNDED),
        ([0], (2, 1, 3), BOUNDED),
    ],
    ids=str,
)
def test_refuses_rows_without_a_place(
    pte_host: Path, indices: list[int], shape: tuple[int, ...], dynamism: int
) -> None:
    output, error = ours(pte_host, rows(indices, shape, dynamism, ROW))

    assert "executorch_prim::et_copy_index.tensor: " in error and not output


@pytest.mark.parametrize(
    "name,overload,arguments,shape,expected",
    [
        ("aten::view_copy", "out", [[3, -1]], (6, 5), FLOATS),
        ("aten::clone", "out", [None], (6, 5), FLOATS),
        ("dim_order_ops::_clone_dim_order", "out", [False, None], (6, 5), FLOATS),
        ("aten::slice_copy", "Tensor_out", [1, 1, 3, 1], (6, 5), FLOATS.reshape(2, 3)[:, 1:]),
        ("aten::permute_copy", "out", [[1, 0]], (6, 5), FLOATS.reshape(2, 3).T),
        ("aten::unsqueeze_copy", "out", [1], (6, 1, 5), FLOATS),
        ("aten::repeat", "out", [[2, 1]], (6, 5), np.tile(FLOATS, 2)),
    ],
    ids=str,
)
def test_a_bounded_output_gets_the_shape(
    pte_host: Path,
    name: str,
    overload: str,
    arguments: list[object],
    shape: tuple[int, ...],
    expected: np.ndarray,
) -> None:
    out = (shape, BOUNDED, 0)
    position = len(arguments) + 1
    pte = program(
        [(name, overload, [FLOATS.reshape(2, 3), *arguments, out, f"0.{position}"])],
    )

    output, error = ours(pte_host, pte)

    assert not error
    assert output == host_runtime(pte) == np.ascontiguousarray(expected).tobytes()


def test_refuses_what_a_bounded_output_has_no_room_for(pte_host: Path) -> None:
    pte = program([("aten::repeat", "out", [FLOATS, [3], ((17,), BOUNDED, 0), "0.2"])])

    output, error = ours(pte_host, pte)

    assert "aten::repeat.out: bad output shape" in error and not output
