# SPDX-License-Identifier: BSD-3-Clause
"""The two sides of a comparison: processes that give the reference's results and ours."""

from __future__ import annotations

import importlib
import itertools
import os
import pickle
import struct
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from op_case import OpCase

HERE = Path(__file__).resolve().parent

#: The streams of cases: cases_<family>.py.
FAMILIES = tuple(
    name
    for name in ("cortex_m", "network", "norm", "packed", "pointwise", "prim", "recurrent", "shape")
    if (HERE / f"cases_{name}.py").exists()
)

#: Boards that QEMU has, one per CPU.
BOARDS = ("qemu-m0", "qemu-m3", "qemu-m4", "qemu-m7", "qemu-m33", "qemu-m55")


def stream(family: str, seed: int) -> Iterator[OpCase]:
    """Yield the family's cases; another round with another seed if its stream has an end."""
    module = importlib.import_module(f"cases_{family}")
    for again in itertools.count():
        found = False
        for case in module.cases(np.random.default_rng([seed, again])):
            found = True
            yield case
        assert found, f"cases_{family} has no cases"


# -- the reference


class ReferenceDied(Exception):
    """The process of the reference ended: a case crashed it."""


class Reference:
    """reference_worker.py as a process."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None

    def ask(self, function: str, *arguments: object) -> Any:
        """Return what the worker's function gives; raises ReferenceDied."""
        if self._process is None:
            paths = [str(HERE), str(HERE.parent / "kernels"), os.environ.get("PYTHONPATH", "")]
            self._process = subprocess.Popen(
                [sys.executable, str(HERE / "reference_worker.py")],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, paths))},
            )
        assert self._process.stdin and self._process.stdout
        request = pickle.dumps((function, arguments))
        try:
            self._process.stdin.write(struct.pack("<Q", len(request)) + request)
            self._process.stdin.flush()
            head = self._process.stdout.read(8)
        except BrokenPipeError:
            head = b""
        if len(head) < 8:
            self.close()
            raise ReferenceDied(function)
        kind, reply = pickle.loads(self._process.stdout.read(struct.unpack("<Q", head)[0]))
        if kind == "error":
            raise AssertionError(f"reference_worker.{function}:\n{reply}")
        return reply

    @staticmethod
    def dump(network: Any) -> bytes:
        return pickle.dumps(network)

    @staticmethod
    def load(data: bytes) -> Any:
        return pickle.loads(data)

    def close(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def expect(self, cases: Sequence[OpCase]) -> list[tuple[OpCase, list[bytes] | str]]:
        """Return each case with its outputs' shapes, and the results or why there are none."""
        if not cases:
            return []
        try:
            return list(self.ask("expect", cases))
        except ReferenceDied:
            if len(cases) == 1:
                return [(cases[0], "the reference's process crashed")]
        half = len(cases) // 2
        return self.expect(cases[:half]) + self.expect(cases[half:])


# -- ours


@dataclass(frozen=True)
class Ran:
    """What one execution gave."""

    output: bytes
    error: str  #: empty: it succeeded


class Runs(Protocol):
    """Runs a program on inputs; one reply per call, failures included."""

    def __call__(self, pte: bytes, inputs: Sequence[bytes]) -> Ran: ...


class HostProgram:
    """pte_host as a process: our runtime and operators under ASan and UBSan."""

    def __init__(self, program: Path) -> None:
        self._program = program
        self._process: subprocess.Popen[bytes] | None = None

    def __call__(self, pte: bytes, inputs: Sequence[bytes] = ()) -> Ran:
        if self._process is None:
            self._process = subprocess.Popen(
                [str(self._program)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                env={**os.environ, "ASAN_OPTIONS": "detect_leaks=0"},
            )
        process = self._process
        assert process.stdin and process.stdout and process.stderr
        data = b"".join(inputs)
        try:
            process.stdin.write(struct.pack("<II", len(pte), len(data)) + pte + data)
            process.stdin.flush()
            head = process.stdout.read(12)
        except BrokenPipeError:
            head = b""
        if len(head) < 12:
            report = process.stderr.read().decode(errors="replace")
            self.close()
            return Ran(b"", f"the sanitizers ended it:\n{report[:6000]}")
        error, text, size = struct.unpack("<III", head)
        message = process.stdout.read(text).decode(errors="replace")
        output = process.stdout.read(size)
        return Ran(output, f"0x{error:x} {message}" if error else "")

    def close(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None


class OnDevice:
    """A board's runner image in QEMU."""

    def __init__(self, runner: Any) -> None:
        self._runner = runner

    def __call__(self, pte: bytes, inputs: Sequence[bytes] = ()) -> Ran:
        from mcugen.base.errors import McugenError

        try:
            self._runner.push(pte)
            return Ran(b"".join(self._runner.run(inputs)), "")
        except McugenError as error:
            return Ran(b"", f"{type(error).__name__}: {error}")


# -- comparing


def same_bits(dtype: str, got: bytes, expected: bytes) -> bool:
    """Whether the bytes are equal; any NaN equals any other, as CPUs make different ones."""
    if got == expected:
        return True
    if dtype != "float32" or len(got) != len(expected):
        return False
    a, b = np.frombuffer(got, np.float32), np.frombuffer(expected, np.float32)
    nan = np.isnan(a) & np.isnan(b)
    return bool(np.all(nan | (a.view(np.uint32) == b.view(np.uint32))))


def difference(dtype: str, got: bytes, expected: bytes, ulp: int, atol: float) -> str:
    """Say how the results differ by more than the tolerance; empty if they do not."""
    if got == expected:
        return ""
    if len(got) != len(expected):
        return f"{len(got)} bytes, expected {len(expected)}"
    a, b = np.frombuffer(got, dtype), np.frombuffer(expected, dtype)
    if dtype == "float32":
        with np.errstate(invalid="ignore", over="ignore"):
            near = np.abs(a.astype(np.float64) - b.astype(np.float64)) <= atol
        right = near | (np.isnan(a) & np.isnan(b)) | (a == b) | (_ulps(a, b) <= ulp)
        right &= np.isnan(a) == np.isnan(b)
    else:
        right = a == b
    if right.all():
        return ""
    index = int(np.flatnonzero(~right)[0])
    text = f"[{index}] is {a[index]!r}, expected {b[index]!r}; {int((~right).sum())} of {a.size}"
    if dtype == "float32":
        text += f" differ, by up to {int(_ulps(a, b)[~right].max())} ulp (allowed {ulp})"
    return text


def _ulps(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """How many floats lie between; both zeros are one number."""

    def ordered(x: np.ndarray) -> np.ndarray:
        bits = x.view(np.int32).astype(np.int64)
        return np.where(bits < 0, -(bits & 0x7FFFFFFF), bits)

    return np.abs(ordered(a) - ordered(b))
