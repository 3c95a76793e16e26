# SPDX-License-Identifier: BSD-3-Clause
"""The bundled models that are trained on real data, on the simulated Nucleo."""

from __future__ import annotations

import json

import pytest

pytestmark = [pytest.mark.qemu, pytest.mark.toolchain, pytest.mark.torch]

SAMPLES = 40
#: Accuracy on the first 40 held-out samples; most instructions of an inference.
GOALS = {
    "activity": (0.95, 150_000),
}
CLOCK_HZ = 180e6


@pytest.mark.parametrize("name", GOALS)
def test_device_scores_what_the_host_does(mcugen, tmp_path, name):
    least, most_instructions = GOALS[name]

    done = mcugen(
        *("run", name, "--board", "nucleo", "--simulate", "--json"),
        *("--samples", SAMPLES, "--runs", 1, "--warmups", 0),
        cwd=tmp_path,
    )

    report = json.loads(done.stdout)
    verify = report["verify"]
    assert verify["samples"] == verify["bit_exact"] == SAMPLES
    accuracy = verify["accuracy"]
    assert accuracy["device"] == accuracy["int8_host"] >= least
    assert abs(accuracy["device"] - accuracy["float"]) <= 1 / SAMPLES
    assert report["timing"]["median"] <= most_instructions
    assert most_instructions / CLOCK_HZ < 0.1
    assert all(operator["int8"] for operator in report["operators"])
