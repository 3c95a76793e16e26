# SPDX-License-Identifier: BSD-3-Clause
"""What every device owes, simulated or real: identity, right numbers, a repeatable time."""

from __future__ import annotations

import json
import shutil
import stat
from pathlib import Path
from typing import Any

import pytest
import rig_store
from flashed import Flashed, run_mcugen
from pytest_embedded import Dut


@pytest.fixture
def store(flashed: Flashed, request: pytest.FixtureRequest) -> Path | None:
    """The folder of this run's results; None: none are kept."""
    folder = request.config.getoption("--store")
    return folder / request.config.rig_run if folder is not None else None


def keep(flashed: Flashed, store: Path | None, report: dict[str, Any]) -> None:
    """Write the device's result as far as it is measured, with the transcript it rests on."""
    flashed.report |= report
    if store is None:
        return
    commit = rig_store.commit_of(Path.cwd())
    document = rig_store.result_document(flashed.device, flashed.report, store.name, commit)
    rig_store.write(store / f"{flashed.device.id}.json", document)
    if "transcript" in report:
        name = f"{flashed.device.id}.{report['schema'].split('/')[0]}.transcript.txt"
        shutil.copy(report["transcript"], store / name)


def test_answers_as_a_dut_of_the_reference_runner(dut: Dut):
    dut.write(b"name%")

    dut.expect(rb"m-name-dut-\[[^\]]+\]\r\n")
    dut.expect_exact(b"m-ready\r\n")


def test_runs_the_firmware_just_built(dut: Dut, flashed: Flashed):
    dut.write(b"mcugen info%")

    info = json.loads(dut.expect(rb"m-mcugen-info-(\{.*?\})\r\n").group(1))
    dut.expect_exact(b"m-ready\r\n")
    assert info["state"] == "ready" and info["error"] is None
    assert info["board"] == flashed.device.platform
    assert all(0 <= used <= total for used, total in info["memory"].values())
    if flashed.build is not None:
        assert info["firmware_id"] == flashed.build.report["firmware"]["id"]
        assert info["pte_sha256"] == flashed.build.report["model"]["sha256"]


def test_stays_usable_after_nonsense(dut: Dut):
    dut.write(b"no such command%")
    dut.expect(rb"e-\[Unknown command: [^\]]*\]\r\n")
    dut.expect_exact(b"m-ready\r\n")

    dut.write(b"name%")

    dut.expect_exact(b"m-ready\r\n")


@pytest.mark.needs_fixture("pty")
def test_a_simulated_console_is_a_terminal(flashed: Flashed):
    mode = Path(flashed.port).stat().st_mode

    assert stat.S_ISCHR(mode)


def test_every_byte_equals_the_hosts(flashed: Flashed, store: Path | None):
    if flashed.build is None:
        pytest.skip("not flashed by the rig: there is nothing to compare it with")
    report = flashed.mcugen("verify", *flashed.target)
    keep(flashed, store, report)

    verify = report["verify"]
    assert verify["samples"] >= 200
    assert verify["bit_exact"] == verify["samples"]
    assert verify["accuracy"]["device"] >= 0.95


def test_times_repeatably(flashed: Flashed, store: Path | None):
    """The median of a second bench is the first's."""
    if flashed.build is not None:
        report, again = (flashed.mcugen("bench", *flashed.target) for _ in range(2))
    else:
        report, again = (flashed.time_console() for _ in range(2))
    keep(flashed, store, report)

    timing = report["timing"]
    if flashed.device.simulated:
        # An instruction takes 1 ns there: a step of the counter at either end.
        spread = 2 * 1e9 / timing["counter_hz"]
    else:
        spread = timing["median"] * 0.01  # flash cache and interrupts
    assert abs(again["timing"]["median"] - timing["median"]) <= spread


def test_times_each_layer(flashed: Flashed):
    """The layers' times add up to the inference's, and hardly differ from run to run."""
    if flashed.build is None:
        pytest.skip("not flashed by the rig: what it runs is not known by layer")
    profile = flashed.mcugen("profile", *flashed.target, "--counter")

    unit = "instructions" if flashed.device.simulated else "cycles"
    total, calls = profile["total"][unit], profile["calls"]
    parts = sum(call[unit] for call in calls) + profile["runtime"][unit]
    assert profile["by"] == "counter" and profile["timing"]["counter"] == unit
    assert abs(parts - total) <= 0.02 * total
    assert all(call[unit] > 0 for call in calls)
    assert profile["counting"] < 500


def test_is_as_an_earlier_run_allows(
    flashed: Flashed, store: Path | None, request: pytest.FixtureRequest
):
    named = request.config.getoption("--compare-with")
    if named is None or store is None:
        pytest.skip("no --compare-with")
    earlier = rig_store.earlier_run(store.parent, named, before=store.name)
    name = f"{flashed.device.id}.json"
    if earlier is None or not (earlier / name).is_file():
        pytest.skip(f"{earlier or store.parent} has no earlier result of {flashed.device.id}")
    policy = request.config.getoption("--policy")
    rules = () if policy is None else ("--policy", str(policy.absolute()))

    # Ends with exit code 8, and what is outside in its message, where it is not.
    assert (store / name).is_file(), "nothing was measured"
    report = run_mcugen(
        "compare", str(earlier / name), str(store / name), *rules, folder=flashed.folder
    )

    assert report["within"]
