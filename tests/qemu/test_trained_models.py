# SPDX-License-Identifier: BSD-3-Clause
"""The bundled models that are trained on real data, on the simulated Nucleo."""

from __future__ import annotations

import json

import pytest

pytestmark = [pytest.mark.qemu, pytest.mark.toolchain, pytest.mark.torch]

SAMPLES = 40
#: Figure on the first 40 held-out samples, its least value; most instructions of an inference.
GOALS = {
    "mnist": ("accuracy", 0.95, 2_000_000),
    "activity": ("accuracy", 0.95, 150_000),
    "speaker": ("accuracy", 0.95, 500_000),
    "anomaly": ("auc", 0.85, 150_000),
}
CLOCK_HZ = 180e6


@pytest.mark.parametrize("name", GOALS)
def test_device_scores_what_the_host_does(mcugen, tmp_path, name):
    metric, least, most_instructions = GOALS[name]

    done = mcugen(
        *("run", name, "--board", "nucleo", "--simulate", "--json"),
        *("--samples", SAMPLES, "--runs", 1, "--warmups", 0),
        cwd=tmp_path,
    )

    report = json.loads(done.stdout)
    verify = report["verify"]
    assert verify["samples"] == verify["bit_exact"] == SAMPLES
    figure = verify[metric]
    assert figure["device"] == figure["int8_host"] >= least
    assert abs(figure["device"] - figure["float"]) <= 1.5 / SAMPLES
    assert all(verify[other]["device"] is None for other in {"accuracy", "auc"} - {metric})
    assert report["timing"]["median"] <= most_instructions
    assert most_instructions / CLOCK_HZ < 0.1
    assert all(operator["int8"] for operator in report["operators"])
