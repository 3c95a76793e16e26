# SPDX-License-Identifier: BSD-3-Clause
"""Whatever is wrong with a model: an Error with one line that says what, and the device goes on.

On the host (the runner image's application under ASan and UBSan) and on QEMU.
"""

from __future__ import annotations

import json
import os
import re
import select
import struct
import subprocess
import sys
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from mcugen.base.errors import DeviceError
from mcugen.device.protocol.client import Client, Deadlines
from mcugen.device.runner import Runner

HERE = Path(__file__).resolve().parent
NETS = HERE.parent / "golden" / "nets"
FUZZ = HERE.parent / "fuzz"

#: The boards, and which of the damages each tries: all of them, or every so manieth. The sanitizers
#: of the host see what a core does not notice; the cores show what differs there.
STRIDES = {"host": 1, "qemu-m4": 7, "qemu-m0": 37, "qemu-m55": 37}
BOARDS = [
    pytest.param(board, marks=[] if board == "host" else [pytest.mark.qemu, pytest.mark.toolchain])
    for board in STRIDES
]
#: A million of its instructions before a program is ended, by the same C++ on each core.
WHERE_LOOPS_END = [each for each in BOARDS if each.values[0] in ("host", "qemu-m4")]
GOOD_INPUT = struct.pack("<4f", 10, 1, -20, 5)
GOOD_OUTPUT = struct.pack("<4f", 11, 0, 0, 1)
#: The step, the Error's number, file and line, and in words what it is about; or all of it in the
#: step, where the application finds it out by itself.
ONE_LINE = re.compile(
    r"[\w:]+( \w+)*: 0x[0-9a-f]{2} \w+\.\w+:\d+ [ -~]{5,}|\w+( \w+){3,}: 0x[0-9a-f]{2}"
)

#: Fault → where it is found out, Error, and what the line must name.
FAULTS = {
    "wrong_schema_version": ("load", "0x23", "not an ExecuTorch program of version ET12"),
    "wrong_identifier": ("load", "0x23", "not an ExecuTorch program of version ET12"),
    "missing_operator": ("load", "0x14", "aten::nothing.out"),
    "wrong_argument_count": ("execute", "0x12", "aten::add.out: 4 arguments, not 5"),
    "wrong_dtype": ("execute", "0x12", "aten::add.out"),
    "wrong_kind": ("execute", "0x12", "aten::add.out: argument 1"),
    "wrong_shape": ("execute", "0x12", "aten::add.out"),
    "constant_as_out": ("load", "0x23", "aten::add writes to value 1: constant"),
    "endless_loop": ("execute", "0x23", "endless loop"),
    "planned_memory_too_large": ("load", "0x21", "arena too small for planned memory"),
}

pytestmark = [pytest.mark.torch, pytest.mark.xdist_group("damaged-models")]


class Pipe:
    """The console of a program that runs here."""

    name = "host"

    def __init__(self, program: Path) -> None:
        self._process = subprocess.Popen(
            [str(program)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )

    def write(self, data: bytes) -> None:
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(data)
            self._process.stdin.flush()
        except BrokenPipeError:
            self._died()

    def read(self, timeout_s: float) -> bytes:
        assert self._process.stdout is not None
        if not select.select([self._process.stdout], [], [], timeout_s)[0]:
            return b""
        data = os.read(self._process.stdout.fileno(), 65536)
        if not data:
            self._died()
        return data

    def _died(self) -> None:
        assert self._process.stderr is not None
        raise AssertionError(self._process.stderr.read().decode(errors="replace")[-6000:])

    def close(self) -> None:
        self._process.kill()
        self._process.communicate()


@pytest.fixture(scope="module")
def host_runner(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Runner]:
    sys.path.insert(0, str(FUZZ))
    from build_targets import shared_programs

    base = tmp_path_factory.getbasetemp()
    base = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    program = shared_programs(base)["host_runner"]
    runner = Runner(Client(Pipe(program), deadlines=Deadlines(10.0, 10.0, 10.0)))
    runner.client.connect()
    yield runner
    runner.client.console.close()


@pytest.fixture(params=BOARDS)
def board(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def stride(board: str, pytestconfig: pytest.Config) -> int:
    every = board == "qemu-m4" and pytestconfig.getoption("--every-damage")
    return 1 if every else STRIDES[board]


@pytest.fixture
def runner(request: pytest.FixtureRequest, board: str) -> Runner:
    if board == "host":
        host: Runner = request.getfixturevalue("host_runner")
        return host
    runners: Callable[[str], Runner] = request.getfixturevalue("runners")
    return runners(board)


@pytest.fixture(scope="module")
def programs() -> dict[str, bytes]:
    from damaged_programs import programs

    return programs()


def load(runner: Runner, pte: bytes) -> None:
    """Write and load, without asking for the description: as few round trips as can be."""
    if runner.arena is None:
        runner.client.write_model(pte)
    else:
        runner.client.unload_model()
        runner.arena.write_model(pte)
    runner.client.load_model(len(pte), zlib.crc32(pte))


def outcome(runner: Runner, pte: bytes) -> str:
    """Load and run; return "ran", or which step failed and the device's line, after checking it."""
    try:
        step = "load"
        load(runner, pte)
        step = "execute"
        runner.client.execute()
    except DeviceError as error:
        line = error.message.splitlines()[0].split(": ", 2)[2]
        assert ONE_LINE.fullmatch(line), line
        return f"{step}: {line}"
    return "ran"


def check_usable(runner: Runner, good: bytes) -> None:
    runner.push(good)
    assert runner.run([GOOD_INPUT]) == [GOOD_OUTPUT]


@pytest.mark.parametrize("fault", [fault for fault in FAULTS if fault != "endless_loop"])
def test_a_fault_is_named(runner: Runner, programs: dict[str, bytes], fault: str) -> None:
    check_named(runner, programs, fault)


@pytest.mark.parametrize("board", WHERE_LOOPS_END, indirect=True)
def test_an_endless_loop_ends(runner: Runner, programs: dict[str, bytes]) -> None:
    check_named(runner, programs, "endless_loop")


def check_named(runner: Runner, programs: dict[str, bytes], fault: str) -> None:
    step, code, words = FAULTS[fault]

    said = outcome(runner, programs[fault])

    assert said.startswith(f"{step}: ") and code in said and words in said, said
    check_usable(runner, programs["good"])


@pytest.mark.parametrize("board", WHERE_LOOPS_END, indirect=True)
def test_an_endless_loop_that_is_timed_step_by_step_ends(
    runner: Runner, programs: dict[str, bytes]
) -> None:
    load(runner, programs["endless_loop"])

    with pytest.raises(DeviceError, match="EXECUTE: execute failed: execute: 0x23"):
        runner.client.execute_steps()
    with pytest.raises(DeviceError, match="EXECUTE: not ready: execute: 0x23"):
        runner.client.execute()

    check_usable(runner, programs["good"])


def test_instructions_are_timed_in_the_order_of_execution(
    runner: Runner, programs: dict[str, bytes]
) -> None:
    load(runner, programs["good"])

    _, every = runner.client.execute_steps()
    _, rest = runner.client.execute_steps(1)
    _, none = runner.client.execute_steps(len(every))

    assert len(every) >= 1
    assert (len(rest), len(none)) == (len(every) - 1, 0)
    check_usable(runner, programs["good"])


def test_every_truncation_is_refused(
    runner: Runner, programs: dict[str, bytes], stride: int
) -> None:
    good = programs["good"]
    # The file ends in padding of its last constant.
    for length in range(0, len(good.rstrip(b"\0")), stride):
        said = outcome(runner, good[:length])

        assert said.startswith("load: "), f"{length} bytes: {said}"
    check_usable(runner, good)


def test_every_bit_flip_is_an_error_or_harmless(
    runner: Runner, programs: dict[str, bytes], stride: int
) -> None:
    """All bits of the header and the tables, one at a time."""
    good = programs["good"]
    (program_bytes,) = struct.unpack_from("<Q", good, 16)
    refused = 0
    flips = range(0, 8 * program_bytes, stride)
    for bit in flips:
        damaged = bytearray(good)
        damaged[bit // 8] ^= 1 << bit % 8
        refused += outcome(runner, bytes(damaged)) != "ran"
        if bit % 64 == 0:
            check_usable(runner, good)
    check_usable(runner, good)

    assert refused > len(flips) // 3


@pytest.mark.parametrize("name", ["net_23_m4", "net_9_m4", "net_103_m55", "net_110_m55"])
def test_a_model_for_another_cpu_gives_the_right_bytes(runner: Runner, name: str) -> None:
    """The project's operators take what the exporter writes for any of the CPUs."""
    pte = (NETS / f"{name}.pte").read_bytes()
    inputs = (NETS / f"{name}.in.bin").read_bytes()
    expected = (NETS / f"{name}.out.bin").read_bytes()
    facts = json.loads((NETS / f"{name}.json").read_text())

    info = runner.push(pte)
    (got,) = runner.run([inputs[: info.inputs[0][1]]])

    assert facts and got == expected[: len(got)]
