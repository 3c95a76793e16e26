# SPDX-License-Identifier: BSD-3-Clause
"""`--optimize`: each level gives the same bytes, from an image that lacks what it does not take."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

pytestmark = [pytest.mark.qemu, pytest.mark.toolchain]

GOLDEN = Path(__file__).parent.parent / "golden" / "mlperf_tiny"


@pytest.mark.parametrize("network", ["kws", "ic"])
def test_each_level_gives_the_same_bytes(mcugen, network):
    """Against the host reference of the program as exported; packed weights at speed, F(4x4) in ic.

    Balanced is held to the golden bytes elsewhere; size is to take less code.
    """
    documents = {}
    for level in ("balanced", "size", "speed"):
        model = GOLDEN / f"{network}_cm_q_m4.pte"
        options = ("--board", "qemu-m4", "--optimize", level, "--samples", 2, "--json")
        run = mcugen("verify", model, *options)
        documents[level] = json.loads(run.stdout)

    for document in documents.values():
        assert document["verify"]["bit_exact"] == document["verify"]["samples"] == 2
    names = {each["name"] for each in documents["speed"]["operators"]}
    assert "mcugen::packed_conv2d.out" in names
    engine = {level: each["firmware"]["engine_bytes"] for level, each in documents.items()}
    assert engine["size"] < 0.9 * engine["balanced"]
