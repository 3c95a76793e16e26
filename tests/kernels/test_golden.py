# SPDX-License-Identifier: BSD-3-Clause
"""Whole programs on the host, through runtime and operators: the published stack's bytes."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from op_host import ROOT

from mcugen.program.planning.arrange import arrange
from mcugen.program.read import read_pte

MLPERF_TINY = ROOT / "tests/golden/mlperf_tiny"
NETS = ROOT / "tests/golden/nets"


def run_pte(pte_host: Path, pte: Path, input_file: Path, output_file: Path) -> bytes:
    done = subprocess.run(
        [str(pte_host), str(pte), str(input_file), str(output_file)],
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr[-6000:]
    return output_file.read_bytes()


@pytest.mark.parametrize("cpu", ["m4", "m55"])
@pytest.mark.parametrize("io", ["float", "int8"])
@pytest.mark.parametrize("model", ["ad", "ic", "kws", "vww"])
def test_mlperf_tiny(pte_host: Path, tmp_path: Path, model: str, io: str, cpu: str) -> None:
    """Files for either ISA must run on any CPU, here a third one."""
    quantized, suffix = ("_q", "i8") if io == "int8" else ("", "f32")

    got = run_pte(
        pte_host,
        MLPERF_TINY / f"{model}_cm{quantized}_{cpu}.pte",
        MLPERF_TINY / f"{model}_input_{suffix}.bin",
        tmp_path / "out",
    )

    assert got == (MLPERF_TINY / f"{model}_cm{quantized}_upstream_out.{suffix}.bin").read_bytes()


@pytest.mark.torch
@pytest.mark.parametrize(
    "pte",
    [*sorted(NETS.glob("*.pte")), *sorted(MLPERF_TINY.glob("*_q_*.pte"))],
    ids=lambda path: path.stem,
)
def test_planned_anew(pte_host: Path, tmp_path: Path, pte: Path) -> None:
    """Results in their operands' places, copies gone, memory as small as the plan says."""
    artifact = arrange(read_pte(pte.read_bytes(), name=pte.stem))
    planned = tmp_path / "planned.pte"
    planned.write_bytes(artifact.pte)
    if pte.parent == NETS:
        input_file, expected = pte.with_suffix(".in.bin"), pte.with_suffix(".out.bin")
        if not expected.exists():
            expected = pte.with_suffix(".ref.bin")
    else:
        model = pte.stem.partition("_")[0]
        input_file = MLPERF_TINY / f"{model}_input_i8.bin"
        expected = MLPERF_TINY / f"{model}_cm_q_upstream_out.i8.bin"

    got = run_pte(pte_host, planned, input_file, tmp_path / "out")

    assert got == expected.read_bytes()


@pytest.mark.parametrize("pte", sorted(NETS.glob("*.pte")), ids=lambda path: path.stem)
def test_random_networks(pte_host: Path, tmp_path: Path, pte: Path) -> None:
    expected = pte.with_suffix(".out.bin")
    if not expected.exists():  # the published stack fails on it
        expected = pte.with_suffix(".ref.bin")

    got = run_pte(pte_host, pte, pte.with_suffix(".in.bin"), tmp_path / "out")

    assert got == expected.read_bytes()
