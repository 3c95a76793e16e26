# SPDX-License-Identifier: BSD-3-Clause
"""The rig over two simulated boards at once, of one build (test_tty.py's): kept and compared.

What it does with devices that fail: tests/unit/rig. All of its tests, on a Nucleo: hil.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
pytestmark = [
    pytest.mark.qemu,
    pytest.mark.toolchain,
    pytest.mark.torch,
    pytest.mark.xdist_group("digits_m4"),
]
#: All but those that take the host's reference, or a trace.
TESTS = "dut or firmware or nonsense or terminal or repeatably or earlier"


@pytest.fixture(scope="module")
def done(digits_m4, tmp_path_factory) -> tuple[subprocess.CompletedProcess[str], Path]:
    """A run over both, two workers; an earlier run of one of them was quicker than there can be."""
    folder = tmp_path_factory.mktemp("rig")
    board = {"connected": True, "platform": "qemu-m4", "product": "QEMU mps2-an386"}
    board["runner"] = "qemu"
    entries = [{**board, "id": "one"}, {**board, "id": "two", "fixtures": ["pty"]}]
    (folder / "map.yml").write_text(json.dumps(entries))
    earlier = folder / "store" / "20260101T000000.000000Z"
    earlier.mkdir(parents=True)
    result = {
        "schema": "mcugen.result/1",
        "run": earlier.name,
        "at": "2026-01-01T00:00:00+00:00",
        "commit": None,
        "dirty": None,
        "device": {"id": "two", "simulated": True, "product": "QEMU"},
        "board": "qemu-m4",
        "model": {"name": "digits"},
        "firmware": {"id": "0"},
        "figures": {"instructions": 1000},
        "outcome": "passed",
        "tests": [],
    }
    (earlier / "two.json").write_text(json.dumps(result))
    options = ("-n", 2, "--dist", "loadgroup", "--rig", folder / "map.yml", "-k", TESTS)
    options += ("--builds", digits_m4.parent, "--store", folder / "store", "--compare-with", "last")
    command = [sys.executable, "-m", "pytest", ROOT / "hil", *options]
    run = subprocess.run(
        list(map(str, command)), cwd=ROOT, capture_output=True, text=True, timeout=600
    )
    return run, folder / "store"


def test_two_boards_of_one_build_are_measured_alike(done):
    run, store = done
    last = sorted(each for each in store.iterdir() if each.is_dir())[-1]

    one, two = (json.loads((last / f"{name}.json").read_text()) for name in ("one", "two"))
    assert one["outcome"] == "passed", run.stdout
    assert one["figures"] == two["figures"] and one["firmware"] == two["firmware"]
    assert one["figures"]["instructions"] > 100_000 and one["figures"]["flash_bytes"] > 40_000
    assert {test["outcome"] for test in one["tests"]} == {"passed", "skipped"}


def test_one_that_an_earlier_run_does_not_allow_fails(done):
    run, store = done

    assert run.returncode == 1
    assert "two: instructions 1,000 →" in run.stdout and "allowed: equal" in run.stdout
    assert "1 failed" in run.stdout.splitlines()[-1], run.stdout
    assert (store / "index.html").is_file()
