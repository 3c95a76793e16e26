# SPDX-License-Identifier: BSD-3-Clause
"""The runner image: models sent to it give the right bytes, whatever else it was sent before."""

from __future__ import annotations

import time
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest

from mcugen.boards import load_board
from mcugen.errors import DeviceError
from mcugen.runner import Runner

pytestmark = [pytest.mark.qemu, pytest.mark.toolchain]

GOLDEN = Path(__file__).resolve().parent.parent / "golden" / "mlperf_tiny"
MODELS = ("ad", "ic", "kws", "vww")
SECONDS = 10.0
BOARDS = ("qemu-m4", "qemu-m55")

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


@pytest.mark.parametrize("board", BOARDS)
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


def test_a_model_comes_over_the_serial_link(runner_elf: Callable[[str], Path]) -> None:
    """Where memory is not shared, as on every real board."""
    pte, inputs, outputs = golden("kws", "qemu-m4")
    with Runner.simulate(load_board("qemu-m4"), runner_elf("qemu-m4")) as runner:
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
