# SPDX-License-Identifier: BSD-3-Clause
"""Replays the corpus and a short seeded run of mutations; campaign.py is the long run."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from build_targets import TARGETS, shared_programs

HERE = Path(__file__).resolve().parent
CORPUS = HERE / "corpus"
MOST_CORPUS_BYTES = 200_000
MUTATIONS = {"program": 4000, "runner": 1000, "server": 10_000}

pytestmark = pytest.mark.xdist_group("fuzz")


@pytest.fixture(scope="module")
def targets(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    base = tmp_path_factory.getbasetemp()
    return shared_programs(base.parent if "PYTEST_XDIST_WORKER" in os.environ else base)


@pytest.fixture(scope="module")
def seeds(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Written by another process, which is the one to import torch."""
    folder = tmp_path_factory.mktemp("seeds")
    for kind in ("program", "server"):
        command = [sys.executable, str(HERE / "seeds.py"), kind, str(folder / kind)]
        done = subprocess.run(command, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
    return folder


@pytest.mark.torch
@pytest.mark.parametrize("target", TARGETS)
def test_nothing_breaks_the_firmware(
    target: str, targets: dict[str, Path], seeds: Path, tmp_path: Path
) -> None:
    kind = "server" if target == "server" else "program"
    command = [str(targets[target]), f"-mutations={MUTATIONS[target]}", "-seed=1", "-max_len=8192"]
    command += [str(CORPUS / kind), str(seeds / kind)]
    done = subprocess.run(
        command, capture_output=True, text=True, errors="replace", cwd=tmp_path, timeout=600
    )

    assert done.returncode == 0, done.stderr[-6000:]
    assert "nothing found" in done.stdout


def test_nothing_a_device_sends_breaks_the_host() -> None:
    command = [sys.executable, str(HERE / "fuzz_protocol.py"), "--mutations", "2000"]
    done = subprocess.run(
        [*command, str(CORPUS / "protocol")], capture_output=True, text=True, timeout=600
    )

    assert done.returncode == 0, done.stderr[-6000:]
    assert "nothing found" in done.stdout


def test_a_call_of_each_operator_is_among_the_seeds(seeds: Path) -> None:
    """From test_bad_arguments.py's good calls, so an operator that is added is fuzzed."""
    calls = list((seeds / "program").glob("op_*"))

    assert len(calls) >= 20


def test_corpus_is_small() -> None:
    assert sum(path.stat().st_size for path in CORPUS.rglob("*")) <= MOST_CORPUS_BYTES
