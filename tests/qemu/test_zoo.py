# SPDX-License-Identifier: BSD-3-Clause
"""Networks of the kinds users bring, by the real flow onto the runner: quantize, lower, push, run.

They leave float operators behind, so the host reference may round in another order; the tolerance
is the one that `mcugen verify` applies. Between two CPUs there is none.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import zoo_models

from mcugen.boards.load import load_board
from mcugen.device.runner import Runner
from mcugen.device.verify import within_tolerance
from mcugen.export.pipeline import build_artifact
from mcugen.program.reference.walker import run_reference

MODELS = Path(__file__).parent / "zoo_models.py"

pytestmark = [pytest.mark.torch, pytest.mark.qemu, pytest.mark.xdist_group("qemu-m4")]


@pytest.mark.parametrize("name", zoo_models.FACTORIES)
def test_gives_what_the_host_gives_with_and_without_fpu(
    name: str, runners: Callable[[str], Runner]
) -> None:
    board = load_board("qemu-m4")
    artifact, _ = build_artifact(f"{MODELS}:{name}", board=board, io="float")
    random = np.random.default_rng(1)
    inputs = [
        random.standard_normal(spec.memory_shape).astype(spec.dtype) for spec in artifact.inputs
    ]
    expected = run_reference(artifact, inputs)
    outputs = {}
    for board_id in ("qemu-m0", "qemu-m4"):
        runner = runners(board_id)
        runner.push(artifact.pte)
        outputs[board_id] = runner.run([values.tobytes() for values in inputs])

    assert outputs["qemu-m0"] == outputs["qemu-m4"]
    assert any(values.any() for values in expected)
    for spec, want, got in zip(artifact.outputs, expected, outputs["qemu-m4"], strict=True):
        assert within_tolerance(spec, want.tobytes(), got), spec.name
