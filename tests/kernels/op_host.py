# SPDX-License-Identifier: BSD-3-Clause
"""Call single operators of the firmware on the host, under ASan and UBSan.

A request is text: `<operator> <count>` and per argument `N`, `I <int>`, `B <0|1>`, `D <bits of
the double>`, `L <count> <ints>`, `b <count> <0|1>…`, `d <count> <bits>…`, `S <count> <codes>`,
`T <dtype> <rank> <sizes> <dim order> <null data?> <misalignment> <bytes>` with the raw bytes on the
next line, `X <count>` (TensorList) or `O <count>` (OptionalTensorList) with the elements as
arguments after it, or `R <index>` for an earlier argument again. The reply is `<error> <log bytes>
<tensors> <kind and value of the last argument> <bytes of each>`, the log and every tensor's bytes.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import struct
import subprocess
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mcugen.base.resources import executorch_include_dir
from mcugen.program import operator_table

ROOT = Path(__file__).resolve().parents[2]
FIRMWARE = ROOT / "firmware"
HERE = Path(__file__).resolve().parent

DTYPES = {
    np.dtype(np.uint8): 0,
    np.dtype(np.int8): 1,
    np.dtype(np.int16): 2,
    np.dtype(np.int32): 3,
    np.dtype(np.int64): 4,
    np.dtype(np.float32): 6,
    np.dtype(np.float64): 7,
    np.dtype(np.bool_): 11,
}

NHWC = (0, 2, 3, 1)


@dataclass(frozen=True)
class T:
    """A tensor argument: logical array and memory order."""

    array: np.ndarray
    order: tuple[int, ...] | None = None  #: None: contiguous
    misalignment: int = 0
    null_data: bool = False

    @property
    def dim_order(self) -> tuple[int, ...]:
        return tuple(range(self.array.ndim)) if self.order is None else self.order

    @property
    def _is_permutation(self) -> bool:
        return sorted(self.dim_order) == list(range(self.array.ndim))

    def memory(self) -> bytes:
        """The bytes in memory order; as they are for an order that is none."""
        if not self._is_permutation:
            return self.array.tobytes()
        return np.ascontiguousarray(self.array.transpose(self.dim_order)).tobytes()

    def encode(self) -> bytes:
        data = self.memory()
        head = [DTYPES[self.array.dtype], self.array.ndim, *self.array.shape, *self.dim_order]
        head += [int(self.null_data), self.misalignment, len(data)]
        return b"T " + " ".join(map(str, head)).encode() + b"\n" + data

    def decode(self, data: bytes) -> np.ndarray:
        flat = np.frombuffer(data, self.array.dtype)
        if not self._is_permutation:
            return flat
        memory = flat.reshape([self.array.shape[axis] for axis in self.dim_order])
        return memory.transpose(np.argsort(self.dim_order).astype(int))


@dataclass(frozen=True)
class Again:
    """The earlier argument `index` once more."""

    index: int


@dataclass(frozen=True)
class Tensors:
    """A TensorList of T and Again; `optional`: an OptionalTensorList, which may hold None."""

    items: tuple[T | Again | None, ...]
    optional: bool = False


@dataclass(frozen=True)
class Reply:
    error: int  #: of executorch::runtime::Error; 0 is Ok, 0x12 InvalidArgument
    log: str
    out: np.ndarray  #: the last tensor argument
    outs: tuple[np.ndarray, ...]  #: all tensor arguments, those in lists too, in order
    value: int | bool | float | None  #: the last argument, when it is a number
    untouched: bool  #: whether all other tensors kept their bytes
    out_untouched: bool


def _encode(argument: object) -> bytes:
    if argument is None:
        return b"N"
    if isinstance(argument, T):
        return argument.encode()
    if isinstance(argument, Again):
        return f"R {argument.index}".encode()
    if isinstance(argument, bool):
        return f"B {int(argument)}".encode()
    if isinstance(argument, int | np.integer):
        return f"I {argument}".encode()
    if isinstance(argument, float):
        return f"D {struct.unpack('<q', struct.pack('<d', argument))[0]}".encode()
    if isinstance(argument, str):
        return f"S {len(argument)} {' '.join(str(ord(c)) for c in argument)}".encode()
    if isinstance(argument, Tensors):
        head = f"{'O' if argument.optional else 'X'} {len(argument.items)}".encode()
        return b"\n".join([head, *map(_encode, argument.items)])
    if isinstance(argument, list | tuple) and any(
        each is None or isinstance(each, T | Again) for each in argument
    ):
        return _encode(Tensors(tuple(argument), any(each is None for each in argument)))
    if isinstance(argument, list | tuple) and argument and isinstance(argument[0], bool):
        return f"b {len(argument)} {' '.join(str(int(each)) for each in argument)}".encode()
    if isinstance(argument, list | tuple) and argument and isinstance(argument[0], float):
        bits = [struct.unpack("<q", struct.pack("<d", each))[0] for each in argument]
        return f"d {len(argument)} {' '.join(map(str, bits))}".encode()
    if isinstance(argument, list | tuple):
        return f"L {len(argument)} {' '.join(map(str, argument))}".encode()
    raise TypeError(f"no way to pass {argument!r}")


def _tensors(arguments: Iterable[object]) -> Iterator[T]:
    """The tensors in the order in which the driver reads them."""
    for argument in arguments:
        if isinstance(argument, T):
            yield argument
        elif isinstance(argument, Tensors):
            yield from _tensors(argument.items)
        elif isinstance(argument, list | tuple):
            yield from _tensors(argument)


def _number(kind: str, number: int) -> int | bool | float | None:
    if kind == "D":
        return float(struct.unpack("<d", struct.pack("<q", number))[0])
    return {"I": number, "B": bool(number)}.get(kind)


class OpHost:
    """The driver process."""

    def __init__(self, program: Path) -> None:
        environment = {**os.environ, "ASAN_OPTIONS": "detect_leaks=0:allocator_may_return_null=1"}
        self._program = program
        self._environment = environment
        self._process: subprocess.Popen[bytes] | None = None

    def close(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def raw(self, operator: str, arguments: list[object]) -> Reply:
        """Call with exactly these arguments; the last tensor among them is the output."""
        if self._process is None:
            self._process = subprocess.Popen(
                [str(self._program)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                env=self._environment,
            )
        process = self._process
        assert process.stdin and process.stdout and process.stderr
        request = b"\n".join([f"{operator} {len(arguments)}".encode(), *map(_encode, arguments)])
        try:
            process.stdin.write(request + b"\n")
            process.stdin.flush()
            head = process.stdout.readline()
        except BrokenPipeError:
            head = b""
        if not head:
            report = process.stderr.read().decode(errors="replace")
            self.close()
            raise AssertionError(f"op_host died in {operator}:\n{report[:6000]}")
        error, log_bytes, _, kind, number, *sizes = head.split()
        value = _number(kind.decode(), int(number))
        log = process.stdout.read(int(log_bytes)).decode()
        datas = [process.stdout.read(int(size)) for size in sizes]
        tensors = list(_tensors(arguments))
        same = [data == tensor.memory() for tensor, data in zip(tensors, datas, strict=True)]
        outs = tuple(tensor.decode(data) for tensor, data in zip(tensors, datas, strict=True))
        out = outs[-1] if outs else np.zeros(0)
        return Reply(int(error), log, out, outs, value, all(same[:-1]), all(same[-1:]))

    def call(self, operator: str, *arguments: object) -> np.ndarray:
        """Call with `out` last, as the exporter writes calls; the call must succeed."""
        reply = self.raw(operator, [*arguments, Again(len(arguments) - 1)])
        assert reply.error == 0, f"error 0x{reply.error:x}: {reply.log}"
        assert reply.untouched, "the operator wrote to an input"
        return reply.out


def shared_hosts(base: Path) -> tuple[Path, Path]:
    """Return build_hosts' programs, built once below `base` for all workers that ask."""
    units = shared_units(base)
    with _once(base / "hosts") as folder:
        if folder is not None:
            build_hosts(folder, units)
    return base / "hosts" / "op_host", base / "hosts" / "pte_host"


def shared_units(base: Path) -> dict[str, Path]:
    """Return kernels, operators and most of the runtime as an object each, built once below `base`.

    tests/fuzz links them, too: they are the greater part of what either compiles.
    """
    with _once(base / "units") as folder:
        if folder is not None:
            with ThreadPoolExecutor(2) as pool:
                list(pool.map(lambda part: _build_unit(part, folder), _UNITS))
    return {part: base / "units" / f"{part}.o" for part in _UNITS}


@contextlib.contextmanager
def _once(folder: Path) -> Iterator[Path | None]:
    """Give the folder to the first that asks; None to the others, once it is filled."""
    folder.mkdir(exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if (folder / "done").exists():
            yield None
        else:
            yield folder
            (folder / "done").touch()


_UNITS = ("ops", "runtime", "kernels")
#: What of the runtime stands in no unit: for its macros, for what `using` names there, and for
#: MCUGEN_MAX_INSTRUCTIONS, of which tests/fuzz has a value of its own.
_ALONE = ("minimal", "method_meta", "method_execute")


def _build_unit(part: str, folder: Path) -> None:
    # One translation unit each: a fraction of the time.
    files = [path for path in sorted((FIRMWARE / part).rglob("*.cpp")) if runs_here(path)]
    files = [path for path in files if path.stem not in _ALONE]
    source = folder / f"{part}.cpp"
    source.write_text("".join(f"#include <{file.relative_to(FIRMWARE)}>\n" for file in files))
    _run(["g++", *_flags(folder), "-c", str(source), "-o", str(folder / f"{part}.o")])


def _flags(folder: Path) -> list[str]:
    include = executorch_include_dir()
    return [
        *("-std=gnu++17", "-g1", "-O1", "-fsanitize=address,undefined"),
        *("-fno-sanitize-recover=all", "-fno-exceptions", "-fno-rtti", "-ffp-contract=off"),
        *("-DC10_USING_CUSTOM_GENERATED_MACROS", "-DET_MIN_LOG_LEVEL=Error"),
        *("-Wall", "-Wextra", "-Werror", "-Wno-deprecated-declarations"),
        *(f"-I{FIRMWARE}", f"-I{folder}", "-isystem", str(include)),
        *("-isystem", str(include / "executorch/runtime/core/portable_type/c10")),
    ]


def runs_here(source: Path) -> bool:
    """Whether a kernel is not of an Arm instruction set; test_variants.py is for those."""
    return not source.stem.endswith(("_dsp", "_mve", "_mla"))


def build_hosts(folder: Path, units: Mapping[str, Path]) -> None:
    """Compile the programs op_host and pte_host, and link them with the units."""
    table = [
        "#pragma once",
        "#include <executorch/runtime/kernel/operator_registry.h>",
        "#include <ops/ops.h>",
        "struct OpTableEntry {",
        "  const char* name;",
        "  executorch::runtime::OpFunction function;",
        "};",
        "constexpr OpTableEntry kOpTable[] = {",
        *(
            f'    {{"{name}", mcugen::ops::{operator_table.function_for(name)}}},'
            for name in operator_table.names()
        ),
        "};",
    ]
    (folder / "op_table.h").write_text("\n".join(table) + "\n")
    programs = [HERE / "op_host.cpp", HERE / "pte_host.cpp"]
    runtime = [path for path in (FIRMWARE / "runtime").rglob("*.cpp") if path.stem in _ALONE]

    def compile_one(numbered: tuple[int, Path]) -> Path:
        number, source = numbered
        target = folder / f"{number}_{source.stem}.o"
        _run(["g++", *_flags(folder), "-c", str(source), "-o", str(target)])
        return target

    with ThreadPoolExecutor(2) as pool:
        objects = list(pool.map(compile_one, enumerate([*programs, *runtime])))
    for main, source in zip(objects, programs, strict=False):
        linked = [str(main), *map(str, [*units.values(), *objects[len(programs) :]])]
        program = str(folder / source.stem)
        _run(["g++", "-fsanitize=address,undefined", *linked, "-o", program])


def _run(command: list[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, timeout=900)
    assert done.returncode == 0, f"{' '.join(command)}\n{done.stderr[-6000:]}"
