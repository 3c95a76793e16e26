# SPDX-License-Identifier: BSD-3-Clause
"""The rig over a map of fake devices at real terminals: parallel, retried, locked, kept, compared.

Devices that `mcugen` builds for and flashes: tests/qemu/test_rig_simulated.py, and hil itself.
"""

from __future__ import annotations

import json
import math
import subprocess
import sys
import xml.etree.ElementTree as ET
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from serial_peer import Peer
from tty_peer import at_tty

from mcugen.device.probe_lock import probe_lock

ROOT = Path(__file__).resolve().parents[3]
BOARD = "qemu-m4"
pytestmark = pytest.mark.xdist_group("rig-runs")


@dataclass
class Rig:
    """A map, its devices, and what runs over it said."""

    folder: Path
    peers: dict[str, Peer]

    @property
    def store(self) -> Path:
        return self.folder / "store"

    def run(self, *arguments: object) -> subprocess.CompletedProcess[str]:
        """Run the rig as a user does, in a process of its own."""
        fixed = ("--rig", self.folder / "map.yml", "--store", self.store, "--rig-answer", 2)
        command = [sys.executable, "-m", "pytest", ROOT / "hil", *fixed, *arguments]
        return subprocess.run(
            list(map(str, command)), cwd=ROOT, capture_output=True, text=True, timeout=300
        )

    def results(self) -> dict[str, dict[str, Any]]:
        """Return the results of the last run."""
        last = sorted(each for each in self.store.iterdir() if each.is_dir())[-1]
        return {path.stem: json.loads(path.read_text()) for path in last.glob("*.json")}


@pytest.fixture(scope="module")
def rig(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    """Four devices: one good, one that is deaf at first, one that is for good, one that is held."""
    import contextlib

    folder = tmp_path_factory.mktemp("rig")
    deaf = {"good": 0, "flaky": 4, "silent": math.inf, "busy": 0}
    peers = {name: Peer() for name in deaf}
    with contextlib.ExitStack() as stack:
        entries = []
        for name, peer in peers.items():
            entry = {"connected": True, "id": name, "platform": BOARD, "product": "a fake"}
            port = stack.enter_context(at_tty(peer, deaf_to=deaf[name]))
            entry |= {"runner": "none", "serial": port}
            entry["fixtures"] = ["answers"] if name in ("good", "flaky") else []
            entries.append(entry)
        (folder / "map.yml").write_text(json.dumps(entries))  # JSON is YAML
        stack.enter_context(pytest.MonkeyPatch.context()).setenv("MCUGEN_LOCK_DIR", str(folder))
        stack.enter_context(probe_lock(entries[-1]["serial"]))
        yield Rig(folder, peers)


@pytest.fixture(scope="module")
def first(rig: Rig) -> subprocess.CompletedProcess[str]:
    """All four, two workers."""
    junit = rig.folder / "junit.xml"
    return rig.run("-n", 2, "--dist", "loadgroup", "--junitxml", junit)


def test_each_device_has_a_result_and_failures_fail_the_run(rig, first):
    results = rig.results()

    outcomes = {name: result["outcome"] for name, result in results.items()}
    assert outcomes == {"good": "passed", "flaky": "passed", "silent": "failed", "busy": "failed"}
    assert first.returncode == 1
    good = results["good"]
    assert good["schema"] == "mcugen.result/1"
    assert good["figures"]["cycles"] == 1000  # 1003 ticks, 3 of them for nothing
    assert good["firmware"]["id"] == "0123456789abcdef" and good["board"] == BOARD
    assert len(good["commit"]) == 40 and good["dirty"] in (True, False)
    assert results["silent"]["figures"] == {} and results["silent"]["firmware"]["id"] is None


def test_a_retry_is_told_in_the_output_the_result_and_junit(rig, first):
    reasons = [why for test in rig.results()["flaky"]["tests"] for why in test["retried_because"]]
    cases = list(ET.parse(rig.folder / "junit.xml").iter("testcase"))
    properties = [
        {each.get("name"): each.get("value") for each in case.iter("property")} for case in cases
    ]

    assert reasons and all("LinkFailed: flaky:" in each for each in reasons)
    assert "no sign of an answer to the first command" in reasons[0]
    told = [each for each in properties if each.get("device") == "flaky" and "attempts" in each]
    assert [int(each["attempts"]) for each in told] == [len(reasons) + 1]
    assert told[0]["retried"] == reasons[-1]
    assert "= retries =" in first.stdout and "flaky: test_" in first.stdout
    assert "1 retried" in first.stdout
    assert len({case.get("name") for case in cases}) == len(cases)  # no case of a failed try
    assert not any("attempts" in each for each in properties if each.get("device") == "good")


def test_a_silent_device_is_given_up_after_its_tries(rig, first):
    tests = rig.results()["silent"]["tests"]

    retried = [test for test in tests if test["retried_because"]]
    assert [len(test["retried_because"]) for test in retried] == [2]
    assert "silent:" in retried[0]["failure"]
    others = [test for test in tests if test not in retried]
    assert others and all("given up: silent: " in test["failure"] for test in others)


def test_a_device_that_another_program_holds_is_refused_at_once_by_name(rig, first):
    tests = rig.results()["busy"]["tests"]

    assert not any(test["retried_because"] for test in tests)
    assert " is in use by " in tests[0]["failure"] and "(pid " in tests[0]["failure"]
    assert not rig.peers["busy"].requests


def test_the_page_shows_what_was_and_needs_nothing_else(rig, first):
    page = (rig.store / "index.html").read_text()

    assert all(f'<h2 id="{name}">' in page for name in rig.peers)
    assert "tried again: test_" in page and "given up: " in page
    assert "http" not in page.replace("http-equiv", "") and "<script" not in page


def test_a_later_run_is_held_to_an_earlier_one_by_a_policy(rig, first):
    """Of two devices by their fixture, each a twentieth slower: what one may be, the other not."""
    policy = rig.folder / "policy.toml"
    policy.write_text("[device.flaky]\ncycles = { percent = 5 }\n")
    for name in ("good", "flaky"):
        rig.peers[name].ticks = lambda n: 1053
    chosen = ("--rig-fixture", "answers", "--rig-board", BOARD)

    done = rig.run(*chosen, "--compare-with", "last", "--policy", policy)

    outcomes = {name: result["outcome"] for name, result in rig.results().items()}
    assert outcomes == {"good": "failed", "flaky": "passed"}, done.stdout
    assert done.returncode == 1
    assert "good: cycles 1,000 → 1,050 (+5.00 %); allowed: within 1 %" in done.stdout
    page = (rig.store / "index.html").read_text()
    assert "+5.00 %" in page and "<polyline points=" in page


# -- the lock


HOLD = """
import sys, time
from mcugen.device.probe_lock import probe_lock
with probe_lock("0674FF"):
    print("held", flush=True)
    time.sleep(60)
"""


@pytest.fixture
def hold(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable]:
    """Let another process hold probe 0674FF."""
    monkeypatch.setenv("MCUGEN_LOCK_DIR", str(tmp_path))
    started: list[subprocess.Popen[str]] = []

    def start() -> subprocess.Popen[str]:
        process = subprocess.Popen([sys.executable, "-c", HOLD], stdout=subprocess.PIPE, text=True)
        started.append(process)
        assert process.stdout.readline() == "held\n"
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()


def test_a_held_probe_names_its_holder_and_a_killed_holder_leaves_nothing(hold):
    from mcugen.base.errors import DisconnectedError

    process = hold()
    with pytest.raises(DisconnectedError, match=rf"0674FF is in use by .*pid {process.pid}"):
        probe_lock("0674FF").__enter__()
    with probe_lock("other"):
        pass  # each probe has its own

    process.kill()
    process.wait()

    with probe_lock("0674FF", wait_s=5.0) as environment:
        assert environment == {"MCUGEN_PROBES_HELD": "0674FF"}


def test_who_waits_gets_it_and_who_waits_in_vain_is_told_how_long(hold):
    from mcugen.base.errors import DisconnectedError

    process = hold()
    with pytest.raises(DisconnectedError, match=r"after 0\.2 s"):
        probe_lock("0674FF", wait_s=0.2).__enter__()
    ended = subprocess.Popen(["sh", "-c", f"sleep 0.3; kill -9 {process.pid}"])

    with probe_lock("0674FF", wait_s=20.0):
        ended.wait()


def test_a_command_for_who_holds_a_probe_does_not_wait_for_it(tmp_path, monkeypatch):
    monkeypatch.setenv("MCUGEN_LOCK_DIR", str(tmp_path))
    with probe_lock("0674FF") as environment:
        monkeypatch.setenv("MCUGEN_PROBES_HELD", environment["MCUGEN_PROBES_HELD"])
        with probe_lock("0674FF") as inner:
            assert inner == {}
