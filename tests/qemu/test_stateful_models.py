# SPDX-License-Identifier: BSD-3-Clause
"""Programs with state and branches on the simulated device: as PyTorch, inference by inference."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import numpy as np
import pytest

from mcugen.base.errors import DeviceError
from mcugen.device.runner import Runner
from mcugen.program.container import deserialize, find_method
from mcugen.program.read import read_pte

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "torch"))
from stateful_programs import expected, exported, samples

pytestmark = [pytest.mark.qemu, pytest.mark.toolchain]

Runners = Callable[[str], Runner]


def run(runner: Runner, count: int) -> list[np.ndarray]:
    return [
        np.frombuffer(runner.run([x.numpy().tobytes()])[0], "<f4").reshape(1, 4)
        for x in samples(count)
    ]


@pytest.mark.parametrize("kind", ["zeros", "start", "branch"])
def test_inferences_in_a_row_equal_pytorch(runners: Runners, kind: str) -> None:
    runner = runners("qemu-m4")
    artifact = read_pte(exported(kind), name=kind)
    # What another model left in memory must not be what a buffer starts with.
    runner.push(read_pte(exported("start"), name="other").pte)
    run(runner, 1)

    info = runner.push(artifact.pte)
    outputs = run(runner, 4)

    assert np.allclose(outputs, expected(kind, 4), rtol=1e-6, atol=1e-6)
    # A runner keeps one byte more per value: which a kernel may write to.
    values = len(find_method(deserialize(artifact.pte, name=kind).program, name=kind).values)
    assert info.memory["method"].used_bytes == artifact.method_bytes + values
    runner.client.reload_model()
    assert np.array_equal(run(runner, 4), outputs)


def test_nothing_cannot_be_reloaded(runners: Runners) -> None:
    runner = runners("qemu-m4")
    runner.client.unload_model()

    with pytest.raises(DeviceError, match="no model"):
        runner.client.reload_model()


@pytest.mark.parametrize("kind", ["start", "numbers"])
def test_an_image_of_its_own_is_verified(
    mcugen: Callable[..., CompletedProcess[str]], tmp_path: Path, kind: str
) -> None:
    (tmp_path / "model.pte").write_bytes(exported(kind))
    options = ("--board", "qemu-m4", "--json")

    document = json.loads(mcugen("run", "model.pte", *options, cwd=tmp_path).stdout)

    assert document["model"]["keeps_state"] == (kind == "start")
    assert document["verify"]["within_tolerance"] == document["verify"]["samples"] == 16
    assert document["warnings"] == []  # memory is used as planned, the method's to the byte
    if kind == "start":
        # A simulator that keeps running has another state when it is verified again.
        mcugen("flash", "--simulate", cwd=tmp_path)
        try:
            for _ in range(2):
                again = json.loads(mcugen("verify", "--simulate", "--json", cwd=tmp_path).stdout)
                assert again["verify"]["within_tolerance"] == 16
        finally:
            mcugen("flash", "--stop", cwd=tmp_path)
