# SPDX-License-Identifier: BSD-3-Clause
"""`--optimize`: each level gives the same bytes, from an image that lacks what it does not take."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

pytestmark = [pytest.mark.qemu, pytest.mark.toolchain]

GOLDEN = Path(__file__).parent.parent / "golden" / "mlperf_tiny"


@pytest.mark.parametrize("network", ["kws", "ic"])
def test_size_gives_the_same_bytes_from_less_code(mcugen, network):
    """Against the host reference; balanced is held to the golden bytes elsewhere."""
    documents = {}
    for level in ("balanced", "size"):
        model = GOLDEN / f"{network}_cm_q_m4.pte"
        options = ("--board", "qemu-m4", "--optimize", level, "--samples", 2, "--json")
        run = mcugen("verify", model, *options)
        documents[level] = json.loads(run.stdout)

    for document in documents.values():
        assert document["verify"]["bit_exact"] == document["verify"]["samples"] == 2
    engine = {level: each["firmware"]["engine_bytes"] for level, each in documents.items()}
    assert engine["size"] < 0.9 * engine["balanced"]
