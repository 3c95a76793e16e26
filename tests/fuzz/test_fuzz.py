# SPDX-License-Identifier: BSD-3-Clause
"""Replays the corpus and a short seeded run of mutations; campaign.py is the long run."""

from __future__ import annotations

import itertools
import os
import random
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import fuzz_host
import pytest
from build_targets import TARGETS, shared_programs

HERE = Path(__file__).resolve().parent
CORPUS = HERE / "corpus"
MOST_CORPUS_BYTES = 200_000
MUTATIONS = {"program": 4000, "runner": 1000, "server": 10_000}
HOST_MUTATIONS = {"pte": 150, "plan": 250}

pytestmark = pytest.mark.xdist_group("fuzz")


@pytest.fixture(scope="module")
def targets(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    base = tmp_path_factory.getbasetemp()
    return shared_programs(base.parent if "PYTEST_XDIST_WORKER" in os.environ else base)


@pytest.fixture(scope="module")
def seeds(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from seeds import write

    folder = tmp_path_factory.mktemp("seeds")
    for kind in ("program", "server"):
        write(kind, folder / kind)
    return folder


@pytest.mark.torch
@pytest.mark.parametrize("target", TARGETS)
def test_nothing_breaks_the_firmware(
    target: str, targets: dict[str, Path], seeds: Path, tmp_path: Path
) -> None:
    kind = "server" if target == "server" else "program"
    command = [str(targets[target]), f"-mutations={MUTATIONS[target]}", "-seed=1", "-max_len=8192"]
    folders = [CORPUS / kind, CORPUS / target, seeds / kind]
    command += [str(folder) for folder in dict.fromkeys(folders) if folder.is_dir()]
    done = subprocess.run(
        command, capture_output=True, text=True, errors="replace", cwd=tmp_path, timeout=600
    )

    assert done.returncode == 0, done.stderr[-6000:]
    assert "nothing found" in done.stdout


@pytest.mark.parametrize(
    "target",
    [
        pytest.param(name, marks=pytest.mark.torch if name in fuzz_host.SLOW_TO_START else ())
        for name in fuzz_host.MODULES
    ],
)
def test_nothing_breaks_the_host(target: str) -> None:
    command = [sys.executable, str(HERE / "fuzz_host.py"), target, "--mutations"]
    command += [str(HOST_MUTATIONS.get(target, 3000))]
    command += [str(folder) for folder in [CORPUS / target] if folder.is_dir()]
    done = subprocess.run(command, capture_output=True, text=True, timeout=600)

    assert done.returncode == 0, done.stderr[-6000:]
    assert "nothing found" in done.stdout


def squares(data: bytes) -> None:
    for number in range(len(data)):
        for _ in data[:number]:
            pass


@pytest.mark.parametrize(
    ("one_input", "found"),
    [
        (lambda data: {b"+1": None}[data], KeyError),
        (squares, fuzz_host.Finding),
        (lambda data: next(n for n in itertools.count() if n < 0), fuzz_host.Finding),
    ],
    ids=["another_exception", "quadratic", "endless"],
)
def test_host_fuzzing_finds(
    one_input: Callable[[bytes], None], found: type[Exception], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What it must detect, planted; a fuzzer that finds nothing else proves nothing."""
    monkeypatch.setattr(fuzz_host, "TIMEOUT_S", 1)
    monkeypatch.setattr(fuzz_host, "GROWN_ONE_OF", 4)
    monkeypatch.setattr(fuzz_host, "GROWN_BYTES", (1 << 6, 1 << 8))
    monkeypatch.setattr(fuzz_host, "TIMED_BYTES", 1 << 8)
    target = fuzz_host.Target(one_input, lambda: {"a": b"+1"})

    with pytest.raises(found):
        fuzz_host.run_mutations("planted", target, ["--mutations", "200"])


def test_host_fuzzing_takes_linear_work_for_good(capsys: pytest.CaptureFixture[str]) -> None:
    target = fuzz_host.Target(lambda data: [None for _ in data] and None, lambda: {"a": b"+1"})

    fuzz_host.check_growth(target, b"+1", random.Random(1))
    fuzz_host.run_mutations("planted", target, ["--mutations", "200"])

    assert "nothing found" in capsys.readouterr().out


def test_a_call_of_each_operator_is_among_the_seeds(seeds: Path) -> None:
    """From test_bad_arguments.py's good calls, so an operator that is added is fuzzed."""
    calls = list((seeds / "program").glob("op_*"))

    assert len(calls) >= 20


def test_corpus_is_small() -> None:
    files = [path for path in CORPUS.rglob("*") if path.is_file()]

    assert sum(path.stat().st_size for path in files) <= MOST_CORPUS_BYTES
