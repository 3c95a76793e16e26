# SPDX-License-Identifier: BSD-3-Clause
"""Writes what fuzzing starts from.

    python tests/fuzz/seeds.py program|server DIR

For programs: the small networks of tests/golden, the hand-written programs of tests/runtime, and
a program of one call for each operator, made from the good calls of tests/kernels.
"""

from __future__ import annotations

import struct
import sys
import zlib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
TESTS = HERE.parent
MOST_BYTES = 18_000  # larger files only make each try slower


def program_seeds() -> dict[str, bytes]:
    """Name → file."""
    sys.path[:0] = [str(TESTS / "runtime"), str(TESTS / "kernels")]
    import programs

    seeds = {f"runtime_{name}": data for name, data in programs.all_programs().items()}
    for path in sorted((TESTS / "golden" / "nets").glob("*.pte")):
        if path.stat().st_size <= MOST_BYTES:
            seeds[path.stem] = path.read_bytes()
    for name, arguments in good_calls():
        seeds["op_" + name.replace("::", "__").replace(".", "_")] = one_call(name, arguments)
    return seeds


def good_calls() -> Iterable[tuple[str, list[Any]]]:
    """A call of each operator, arguments as tests/kernels/op_host.py takes them."""
    from test_bad_arguments import CALLS

    for name, make in sorted(CALLS.items()):
        yield name, make()


def one_call(name: str, arguments: list[Any]) -> bytes:
    """A program whose one instruction is that call; its inputs are constants."""
    import programs
    from executorch.exir import schema as s
    from executorch.exir.scalar_type import ScalarType
    from op_host import DTYPES, Again, T, Tensors

    from mcugen.program import operator_table

    plan = programs.Plan("forward", [])
    constants: list[bytes] = []
    planned = 0
    written = operator_table.operator(name).outputs
    indices: list[int] = []

    def tensor(value: T, out: bool) -> int:
        nonlocal planned
        at = None
        constant = 0
        if out:
            at = (1, planned)
            planned += (value.array.nbytes + 15) // 16 * 16
        elif value.array.nbytes:
            constants.append(value.memory())
            constant = len(constants)
        else:
            at = (1, 0)
        return plan.tensor(
            list(value.array.shape),
            dtype=ScalarType(DTYPES[value.array.dtype]),
            constant=constant,
            at=at,
            dim_order=list(value.dim_order),
        )

    def add(value: Any, out: bool) -> int:
        if isinstance(value, T):
            return tensor(value, out)
        if isinstance(value, Again):
            return indices[value.index]
        if value is None:
            return plan.value(s.Null())
        if isinstance(value, bool):
            return plan.value(s.Bool(value))
        if isinstance(value, float):
            return plan.value(s.Double(value))
        if isinstance(value, str):
            return plan.value(s.String(value))
        if isinstance(value, Tensors):
            items = [-1 if item is None else add(item, out) for item in value.items]
            return plan.value(s.OptionalTensorList(items) if -1 in items else s.TensorList(items))
        if isinstance(value, list | tuple):
            if any(item is None or isinstance(item, T | Again) for item in value):
                return add(Tensors(tuple(value), False), out)
            if value and isinstance(value[0], bool):
                return plan.value(s.BoolList(list(value)))
            if value and isinstance(value[0], float):
                return plan.value(s.DoubleList(list(value)))
            return plan.value(s.IntList([plan.value(s.Int(int(item))) for item in value]))
        return plan.value(s.Int(int(value)))

    for position, value in enumerate(arguments):
        indices.append(add(value, position in written))
    if len(written) > 1:
        indices.append(plan.value(s.TensorList([indices[i] for i in written])))
    elif written and len(indices) <= len(operator_table.operator(name).arguments):
        indices.append(indices[written[0]])
    if written:
        plan.outputs = [indices[written[0]]]
    plan.planned = [max(planned, 16)]
    operator, _, overload = name.rpartition(".")
    plan.call(operator, *indices, overload=overload)
    return programs.inline(programs.program([plan], constants))


def server_seeds() -> dict[str, bytes]:
    """Every command and frame once, and a few sessions."""
    from cobs import cobs

    def frame(kind: int, body: bytes = b"", seq: int = 1) -> bytes:
        payload = bytes((kind, seq)) + body
        return b"\0" + cobs.encode(payload + struct.pack("<I", zlib.crc32(payload))) + b"\0"

    commands = ["", "name", "timestamp", "profile", "help", "db load 8", "db 0102030405060708"]
    commands += ["db print", "infer", "infer 2 1", "infer 1 0", "results", "mcugen info"]
    commands += ["infer x", "infer 0", "infer 1 -1", "db", "db load", "db zz", "nonsense", "x" * 81]
    seeds = {f"text_{i}": f"{command}%".encode() for i, command in enumerate(commands)}
    frames = [
        frame(1, b"hello\0world"),
        frame(1, bytes(511)),
        frame(1, bytes(512)),
        frame(2, struct.pack("<HI", 0, 0) + bytes(range(100))),
        frame(2, struct.pack("<HI", 1, 8) + bytes(8)),
        frame(2, struct.pack("<HI", 0, 599) + bytes(2)),
        frame(3),
        frame(4, struct.pack("<HIH", 0, 0, 10)),
        frame(4, struct.pack("<HIH", 1, 0, 16)),
        frame(5, struct.pack("<HIH", 0, 100, 500)),
        frame(0x7F),
        frame(1, b"x" * 600),
    ]
    seeds |= {f"frame_{i}": data for i, data in enumerate(frames)}
    seeds["run"] = b"".join((frames[3], frames[6], frames[7], b"infer 1 1%results%"))
    seeds["cut"] = frames[0][:-4] + b"\xfd\x01" + frames[0]
    seeds["inside"] = frames[3][:20] + b"name%" + frames[3][20:]
    seeds["lost"] = b"name\xfd\x02%name%" + frames[3][:9] + b"\xfd\x02" + frames[3][9:]
    seeds["session"] = b"".join(f"{command}%".encode() for command in commands)
    return seeds


def write(kind: str, folder: Path) -> None:
    make = {"program": program_seeds, "server": server_seeds}[kind]
    folder.mkdir(parents=True, exist_ok=True)
    for name, data in make().items():
        (folder / name).write_bytes(data)


if __name__ == "__main__":
    write(sys.argv[1], Path(sys.argv[2]))
