# SPDX-License-Identifier: BSD-3-Clause
"""A small model, its memory plan and a one-page firmware, for tests of projects and builds."""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path

import pytest

from mcugen.base.resources import firmware_dir
from mcugen.boards.spec import BoardSpec, Isa
from mcugen.program.artifact import OperatorUse, PteArtifact, TensorSpec
from mcugen.program.memory import MemoryPlan
from mcugen.program.operator_table import Operator
from mcugen.project import contents, copied
from mcugen.project.generate import write_project
from mcugen.project.manifest import FirmwareProject

SAMPLE_FIRMWARE = Path(__file__).parent / "samples" / "firmware"
# Bytes that are hard to write in C: every value, a trigraph, an escape before a digit.
SAMPLE_PTE = bytes(range(256)) + b'??/??=\\"\x001\x0a7\xff8' + b"end"


def sample_artifact(pte: bytes = SAMPLE_PTE, name: str = "sample") -> PteArtifact:
    """Return an artifact whose `.pte` is any bytes: nothing here looks into it."""
    image = TensorSpec("x", (1, 8), (0, 1), "int8", 0.0078125, -3, True)
    scores = TensorSpec("y", (1, 2), (0, 1), "int8", 0.1, 5, True)
    return PteArtifact(
        pte=pte,
        name=name,
        sha256=hashlib.sha256(pte).hexdigest(),
        source_sha256="0" * 64,
        method_name="forward",
        inputs=(image,),
        outputs=(scores,),
        operators=(OperatorUse("aten::two.out", 1, False), OperatorUse("aten::one.out", 2, True)),
        planned_buffers=(160,),
        method_bytes=512,
        temp_bytes=0,
        macs=16,
        isa=Isa.DSP,
        io="int8",
        executorch_version="1.5.1",
        stripped_bytes=0,
        softmax_output=True,
        profile_model=name,
    )


def sample_plan(artifact: PteArtifact) -> MemoryPlan:
    """Return a plan with an empty pool in it."""
    return MemoryPlan(
        planned_bytes=artifact.planned_buffers,
        method_bytes=512,
        temp_bytes=0,
        io_bytes=16,
        stack_bytes=2048,
        model_bytes=len(artifact.pte),
        engine_estimate_bytes=0,
        regions=(),
    )


def write_sample(board: BoardSpec, root: Path, **changes: str | bytes) -> FirmwareProject:
    """Generate the sample into `root`; `changes` go to sample_artifact."""
    artifact = sample_artifact(**changes)  # type: ignore[arg-type]
    return write_project(artifact, sample_plan(artifact), board, root)


def use_sample_firmware(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Let projects be generated from a copy of the one-page firmware in `folder`; return it."""
    real = firmware_dir()
    shutil.copytree(SAMPLE_FIRMWARE, folder)
    shutil.copytree(
        real / "platform", folder / "platform", ignore=shutil.ignore_patterns("__pycache__")
    )
    shutil.copy(real / "app" / "app_config.h", folder / "app")
    shutil.copy(real / "port" / "board.h", folder / "port")
    monkeypatch.setattr(copied, "firmware_dir", lambda: folder)
    monkeypatch.setattr(contents, "operator", sample_operator)
    return folder


def sample_operator(name: str) -> Operator:
    """Return what the one-page firmware's table would say, if it had one."""
    return Operator(name, (), "ops.cpp", (), ())
