# SPDX-License-Identifier: BSD-3-Clause
"""The runner image: models sent to it give the right bytes, whatever else it was sent before."""

from __future__ import annotations

import json
import struct
import subprocess
import time
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from elftools.elf.elffile import ELFFile

from mcugen.base.errors import DeviceError
from mcugen.boards.load import load_board
from mcugen.device.runner import Runner

pytestmark = [pytest.mark.qemu, pytest.mark.toolchain]

GOLDEN = Path(__file__).resolve().parent.parent / "golden" / "mlperf_tiny"
MODELS = ("ad", "ic", "kws", "vww")
IO_BYTES = {"ad": (640, 640), "ic": (3072, 10), "kws": (490, 12), "vww": (27648, 2)}
#: Idle, a push takes two or three; this only catches one that hangs on a busy machine.
SECONDS = 60.0
ENGINE_BYTES = 200 * 1024
BOARDS = ("qemu-m0", "qemu-m3", "qemu-m4", "qemu-m7", "qemu-m33", "qemu-m55")

Runners = Callable[[str], Runner]


def golden(model: str, board: str) -> tuple[bytes, bytes, bytes]:
    """Return the `.pte` with int8 inputs, and the first of its inputs and outputs, all of them."""
    isa = "m55" if board == "qemu-m55" else "m4"
    names = (
        f"{model}_cm_q_{isa}.pte",
        f"{model}_input_i8.bin",
        f"{model}_cm_q_upstream_out.i8.bin",
    )
    pte, inputs, outputs = ((GOLDEN / name).read_bytes() for name in names)
    return pte, inputs, outputs


@pytest.mark.parametrize(
    "board", [pytest.param(board, marks=pytest.mark.xdist_group(board)) for board in BOARDS]
)
@pytest.mark.parametrize("model", MODELS)
def test_a_golden_model_gives_the_right_bytes(runners: Runners, model: str, board: str) -> None:
    pte, inputs, outputs = golden(model, board)
    runner = runners(board)
    start = time.monotonic()
    info = runner.push(pte)
    in_bytes, out_bytes = info.inputs[0][1], info.outputs[0][1]
    got = runner.run([inputs[:in_bytes]])
    seconds = time.monotonic() - start

    assert got == [outputs[:out_bytes]]
    assert seconds < SECONDS, f"{seconds:.1f} s"


def test_a_refused_model_leaves_the_device_usable(runners: Runners) -> None:
    pte, inputs, outputs = golden("kws", "qemu-m4")
    runner = runners("qemu-m4")
    damaged = bytearray(pte)
    damaged[4:8] = b"ET99"
    with pytest.raises(DeviceError, match="Program::load: 0x23"):
        runner.push(bytes(damaged))
    with pytest.raises(DeviceError, match="not ready"):
        runner.client.execute()

    # The rest lies there still: mended, it loads.
    runner.client.write_model(pte[:16])
    with pytest.raises(DeviceError, match="not ready: no model"):
        runner.client.execute()
    with pytest.raises(DeviceError, match="model CRC mismatch"):
        runner.client.load_model(len(pte), 0)
    runner.client.load_model(len(pte), zlib.crc32(pte))
    info = runner.client.info()
    assert (info.state, info.pte_bytes, info.pte_crc32) == ("ready", len(pte), zlib.crc32(pte))
    assert runner.run([inputs[: info.inputs[0][1]]]) == [outputs[: info.outputs[0][1]]]


@pytest.mark.parametrize("board", ["qemu-m4", "nucleo_f446re"])
def test_a_model_comes_over_the_serial_link(runner_elf: Callable[[str], Path], board: str) -> None:
    """Where memory is not shared, as on every real board."""
    pte, inputs, outputs = golden("kws", board)
    with Runner.simulate(load_board(board), runner_elf(board)) as runner:
        runner.arena = None
        arrived: list[int] = []
        info = runner.push(pte, advance=arrived.append)
        assert runner.run([inputs[: info.inputs[0][1]]]) == [outputs[: info.outputs[0][1]]]
    assert arrived[-1] == len(pte)


def test_a_placed_model_is_loaded_at_boot(runner_elf: Callable[[str], Path]) -> None:
    pte, inputs, outputs = golden("ad", "qemu-m4")
    with Runner.simulate(load_board("qemu-m4"), runner_elf("qemu-m4"), placed=pte) as runner:
        info = runner.client.info()
        assert info.state == "ready"
        assert runner.run([inputs[: info.inputs[0][1]]]) == [outputs[: info.outputs[0][1]]]


@pytest.fixture(scope="module")
def two_methods() -> bytes:
    """A `.pte` of two methods, the first of them with numbers among its inputs and outputs."""
    import torch
    from executorch.exir import to_edge

    class Numbers(torch.nn.Module):
        def forward(self, x, n: int):
            return x * n, n + 1, True, 2.5, None

    class Less(torch.nn.Module):
        def forward(self, x):
            return x - 1

    x = torch.zeros(2, 3)
    programs = {
        "less": torch.export.export(Less(), (x,)),
        "numbers": torch.export.export(Numbers(), (x, 3)),
    }
    return to_edge(programs).to_executorch().buffer


def test_methods_are_chosen_by_name(runners: Runners, two_methods: bytes) -> None:
    runner = runners("qemu-m4")
    x = np.arange(6, dtype="<f4")
    info = runner.push(two_methods, "less")
    assert (info.method, info.inputs, info.outputs) == ("less", ((6, 24),), ((6, 24),))
    assert runner.run([x.tobytes()]) == [(x - 1).tobytes()]

    # Neither is called "forward".
    assert runner.push(two_methods).method == "less"


def test_numbers_are_inputs_and_outputs(runners: Runners, two_methods: bytes) -> None:
    runner = runners("qemu-m4")
    x = np.arange(6, dtype="<f4")
    info = runner.push(two_methods, "numbers")
    assert info.inputs == ((6, 24), (4, 8))
    assert info.outputs == ((6, 24), (4, 8), (11, 1), (7, 8), (0, 0))
    four, two_and_a_half = (4).to_bytes(8, "little"), struct.pack("<d", 2.5)
    assert runner.run([x.tobytes()]) == [(x * 3).tobytes(), four, b"\1", two_and_a_half, b""]

    # The number was fixed when the model was exported.
    assert runner.run([x.tobytes(), (3).to_bytes(8, "little")])[1] == four
    with pytest.raises(DeviceError, match="input 1 is not the value that was traced"):
        runner.run([x.tobytes(), four])


def test_sizes_whose_sum_overflows_are_refused(runners: Runners) -> None:
    """Four inputs of 2^30 bytes: 0 bytes, in 32 bits. Writing one would go anywhere."""
    import torch
    from executorch.exir import to_edge
    from executorch.exir._serialize._program import deserialize_pte_binary, serialize_pte_binary

    class Sum(torch.nn.Module):
        def forward(self, a, b, c, d):
            return a + b + c + d

    x = torch.zeros(1, dtype=torch.int8)
    exported = torch.export.export(Sum(), (x, x, x, x))
    file = deserialize_pte_binary(to_edge(exported).to_executorch().buffer)
    plan = file.program.execution_plan[0]
    for index in plan.inputs:
        tensor = plan.values[index].val
        tensor.sizes, tensor.allocation_info = [1 << 30], None
    runner = runners("qemu-m4")

    with pytest.raises(DeviceError, match="inputs and outputs too large"):
        runner.push(bytes(serialize_pte_binary(file)))
    with pytest.raises(DeviceError, match="not ready"):
        runner.client.write_input(0, b"x")


def test_bad_requests_are_refused(runners: Runners) -> None:
    runner = runners("qemu-m4")
    capacity = runner.client.info().runner
    assert capacity is not None and capacity > 8 << 20
    with pytest.raises(DeviceError, match="beyond the end of the arena"):
        runner.client.load_model(capacity + 1, 0)
    with pytest.raises(DeviceError, match="bad name of a method"):
        runner.client.load_model(0, 0, "x" * 64)
    with pytest.raises(DeviceError, match="Program::load"):
        runner.client.load_model(0, 0)
    with pytest.raises(DeviceError, match="no method backward"):
        runner.push(golden("ad", "qemu-m4")[0], "backward")


def test_all_operators_fit(runner_elf: Callable[[str], Path]) -> None:
    """Runtime, server and every operator, at -Os."""
    with open(runner_elf("qemu-m4"), "rb") as file:
        image = ELFFile(file)
        sections = {section.name: section["sh_size"] for section in image.iter_sections()}
    engine = sections[".text"] + sections[".rodata"]
    print(f"the runner's engine has {engine:,} B on a Cortex-M4")

    assert ".init_array" not in sections
    assert engine <= ENGINE_BYTES


# ---------------------------------------------------------------------------- the command line

Mcugen = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture(scope="module")
def running(mcugen: Mcugen, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder from which a runner was started."""
    folder = tmp_path_factory.mktemp("running")
    done = mcugen("flash", "--runner", "--board", "qemu-m4", cwd=folder)
    assert "mcugen push MODEL --board qemu-m4" in done.stdout
    yield folder
    assert "stopped" in mcugen("flash", "--stop", cwd=folder).stdout


@pytest.mark.parametrize("model", MODELS)
def test_push_gives_the_right_bytes(mcugen: Mcugen, running: Path, model: str) -> None:
    _, inputs, outputs = golden(model, "qemu-m4")
    (running / "in.bin").write_bytes(inputs[: IO_BYTES[model][0]])
    file = GOLDEN / f"{model}_cm_q_m4.pte"
    start = time.monotonic()
    done = mcugen(
        *("push", file, "--board", "qemu-m4", "--input", "in.bin", "--output", "out.bin", "--json"),
        cwd=running,
    )
    seconds = time.monotonic() - start

    assert (running / "out.bin").read_bytes() == outputs[: IO_BYTES[model][1]]
    assert seconds < SECONDS, f"{seconds:.1f} s"
    document = json.loads(done.stdout)
    assert document["schema"] == "mcugen.push/1"
    assert document["counter"] == "instructions"
    assert document["count"] > document["model"]["macs"] / 2  # SMLAD does two
    memory = document["memory"]
    assert memory["arena_bytes"] > memory["used_bytes"] > memory["pte_bytes"]


def test_push_refuses_a_method_that_is_not_there(mcugen: Mcugen, running: Path) -> None:
    file = GOLDEN / "ad_cm_q_m4.pte"
    done = mcugen(
        "push", file, "--board", "qemu-m4", "--method", "backward", cwd=running, exit_code=7
    )
    assert "no method backward" in done.stderr


def test_a_runner_takes_no_model_at_build(mcugen: Mcugen) -> None:
    done = mcugen("build", "digits", "--runner", "--board", "qemu-m4", exit_code=2)
    assert "mcugen push" in done.stderr


def test_push_leaves_a_simulator_only_for_a_while(
    mcugen: Mcugen, running: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From 50 new folders it left 50."""
    mcugen("flash", "--stop", cwd=running)
    with monkeypatch.context() as short:
        short.setenv("MCUGEN_SIMULATOR_IDLE_MINUTES", "0.05")
        mcugen("push", GOLDEN / "ad_cm_q_m4.pte", "--board", "qemu-m4", cwd=running)
    state = running / "mcugen_out" / "runner-qemu-m4" / ".mcugen-qemu.json"
    deadline = time.monotonic() + SECONDS
    while state.exists():
        assert time.monotonic() < deadline
        time.sleep(0.1)

    assert "no simulator was running" in mcugen("flash", "--stop", cwd=running).stdout
    mcugen("flash", "--runner", "--board", "qemu-m4", cwd=running)
