# SPDX-License-Identifier: BSD-3-Clause
"""The published runtime's files and vectors under tests/golden/mlperf_tiny."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from mcugen.program.artifact import PteArtifact
from mcugen.program.read import read_pte

GOLDEN = Path(__file__).parent.parent / "golden" / "mlperf_tiny"

MODELS = ("kws", "vww", "ic", "ad")


def golden_pte(model: str, io: str, cpu: str) -> bytes:
    quantized = "q_" if io == "int8" else ""
    return (GOLDEN / f"{model}_cm_{quantized}{cpu}.pte").read_bytes()


def golden_artifact(model: str, io: str, cpu: str) -> PteArtifact:
    return read_pte(golden_pte(model, io, cpu), name=model)


def golden_vectors(model: str, io: str) -> tuple[bytes, np.ndarray]:
    """Input bytes and the published runtime's output."""
    if io == "int8":
        inputs, outputs, dtype = "input_i8", "cm_q_upstream_out.i8", np.int8
    else:
        inputs, outputs, dtype = "input_f32", "cm_upstream_out.f32", np.float32
    output = np.frombuffer((GOLDEN / f"{model}_{outputs}.bin").read_bytes(), dtype)
    return (GOLDEN / f"{model}_{inputs}.bin").read_bytes(), output
