# SPDX-License-Identifier: BSD-3-Clause
"""What every device owes, simulated or real: identity, right numbers, a repeatable time."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from flashed import Flashed
from pytest_embedded import Dut

RESULTS = Path(__file__).parent / "results"


def target_of(flashed: Flashed) -> tuple[str, ...]:
    if flashed.device.simulated:
        return ("--simulate",)
    return ("--device", str(flashed.device.probe_id))  # names the probe and its port


def test_answers_as_a_dut_of_the_reference_runner(dut: Dut):
    dut.write(b"name%")

    dut.expect(rb"m-name-dut-\[[^\]]+\]\r\n")
    dut.expect_exact(b"m-ready\r\n")


def test_runs_the_firmware_just_built(dut: Dut, flashed: Flashed):
    dut.write(b"mcugen info%")

    info = json.loads(dut.expect(rb"m-mcugen-info-(\{.*?\})\r\n").group(1))
    dut.expect_exact(b"m-ready\r\n")
    assert info["state"] == "ready" and info["error"] is None
    assert info["firmware_id"] == flashed.firmware_id
    assert info["pte_sha256"] == flashed.pte_sha256
    assert info["board"] == flashed.device.platform
    assert all(0 <= used <= total for used, total in info["memory"].values())


def test_stays_usable_after_nonsense(dut: Dut):
    dut.write(b"no such command%")
    dut.expect(rb"e-\[Unknown command: [^\]]*\]\r\n")
    dut.expect_exact(b"m-ready\r\n")

    dut.write(b"name%")

    dut.expect_exact(b"m-ready\r\n")


def test_verifies_and_times(flashed: Flashed, request):
    """Every byte equals the host reference; the median of a second bench equals the first's."""
    target = target_of(flashed)
    report = flashed.mcugen("run", "digits", "--board", flashed.device.platform, *target)
    again = flashed.mcugen("bench", *target)

    verify, timing = report["verify"], report["timing"]
    assert verify["samples"] >= 200
    assert verify["bit_exact"] == verify["samples"]
    assert verify["accuracy"]["device"] >= 0.95
    # A board's flash cache and interrupts move a few cycles; QEMU's count does not move at all.
    spread = 0 if flashed.device.simulated else timing["median"] * 0.01
    assert abs(again["timing"]["median"] - timing["median"]) <= spread
    if request.config.getoption("--record"):
        RESULTS.mkdir(exist_ok=True)
        name = f"{flashed.device.platform}-{flashed.device.id}"
        (RESULTS / f"{name}.json").write_text(json.dumps(report, indent=2) + "\n")
        shutil.copy(report["transcript"], RESULTS / f"{name}.transcript.txt")


def test_times_each_layer(flashed: Flashed):
    """The layers' times add up to the inference's, and hardly differ from run to run."""
    profile = flashed.mcugen("profile", *target_of(flashed), "--counter")

    unit = "instructions" if flashed.device.simulated else "cycles"
    total, calls = profile["total"][unit], profile["calls"]
    parts = sum(call[unit] for call in calls) + profile["runtime"][unit]
    assert profile["by"] == "counter" and profile["timing"]["counter"] == unit
    assert abs(parts - total) <= 0.02 * total
    assert all(call[unit] > 0 for call in calls)
    assert profile["counting"] < 500
