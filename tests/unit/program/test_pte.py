# SPDX-License-Identifier: BSD-3-Clause
"""What can be said of a `.pte` before it is parsed; parsing is tested in tests/torch."""

from __future__ import annotations

import dataclasses
import json
import struct
from pathlib import Path

import pytest

from mcugen.base.errors import PteError
from mcugen.boards.spec import Isa
from mcugen.program.artifact import OperatorUse, PteArtifact, TensorSpec
from mcugen.program.container import check_container

GOLDEN = Path(__file__).parents[2] / "golden" / "mlperf_tiny"


@pytest.fixture(scope="module")
def good() -> bytes:
    return (GOLDEN / "kws_cm_q_m4.pte").read_bytes()


def patched(data: bytes, offset: int, value: bytes) -> bytes:
    return data[:offset] + value + data[offset + len(value) :]


def test_good_file_passes(good):
    check_container(good, name="kws")


@pytest.mark.parametrize(
    "change, words",
    [
        pytest.param(lambda d: b"", "kws: the .pte file is empty", id="empty"),
        pytest.param(lambda d: d[:5], "truncated: 5 bytes", id="5-bytes"),
        pytest.param(lambda d: d[:20], "no room for its header", id="20-bytes"),
        pytest.param(lambda d: d[:-1], "the .pte is truncated", id="last-byte-missing"),
        pytest.param(lambda d: d[:2000], "promises a program of", id="cut-inside-program"),
        pytest.param(lambda d: b"PK\3\4" + d[:60], "not a .pte file", id="zip"),
        pytest.param(lambda d: patched(d, 4, b"TFL3"), "not a .pte file", id="tflite"),
        pytest.param(
            lambda d: patched(d, 4, b"ET13"), "another version of ExecuTorch", id="other-version"
        ),
        pytest.param(
            lambda d: patched(d, 12, struct.pack("<I", 4)), "header says it is 4", id="header-size"
        ),
        pytest.param(
            lambda d: patched(d, 16, struct.pack("<Q", 2**40)), "truncated", id="program-size"
        ),
        pytest.param(
            lambda d: patched(d, 24, struct.pack("<Q", 16)), "inside the program", id="base-inside"
        ),
        pytest.param(
            lambda d: patched(d, 24, struct.pack("<Q", 2**60)), "truncated", id="base-far-away"
        ),
        pytest.param(
            lambda d: patched(d, 24, struct.pack("<Q", 0)), "at no offset", id="base-missing"
        ),
        pytest.param(
            lambda d: patched(d, 0, struct.pack("<I", 2**31)), "root table", id="root-offset"
        ),
    ],
)
def test_damaged_container_names_the_cause(good, change, words):
    with pytest.raises(PteError) as caught:
        check_container(change(good), name="kws")

    assert words in caught.value.message
    assert caught.value.exit_code == 5


def artifact(pte: bytes) -> PteArtifact:
    import hashlib

    return PteArtifact(
        pte=pte,
        name="net",
        sha256=hashlib.sha256(pte).hexdigest(),
        source_sha256="00",
        method_name="forward",
        inputs=(TensorSpec("input0", (1, 3, 4, 5), (0, 2, 3, 1), "int8", 0.5, -3, True),),
        outputs=(TensorSpec("output0", (1, 2), (0, 1), "float32", None, None, False),),
        operators=(OperatorUse("cortex_m::pad.out", 2, True, ("a", "b")),),
        planned_buffers=(16, 32),
        method_bytes=1,
        temp_bytes=2,
        macs=3,
        isa=Isa.DSP,
        io=None,
        executorch_version="1.5.1",
        stripped_bytes=4,
        softmax_output=True,
        profile_model="net01",
    )


def test_description_survives_json():
    before = artifact(b"bytes")

    after = PteArtifact.from_json(json.loads(json.dumps(before.to_json())), b"bytes")

    assert after == before
    unknown = dataclasses.replace(before, isa=None)
    assert PteArtifact.from_json(unknown.to_json(), b"bytes") == unknown


def test_description_of_other_bytes_is_refused():
    with pytest.raises(PteError, match="does not match"):
        PteArtifact.from_json(artifact(b"bytes").to_json(), b"other")


def test_tensor_knows_its_bytes_and_memory_order():
    spec = TensorSpec("x", (1, 3, 4, 5), (0, 2, 3, 1), "float32", None, None, True)

    assert spec.nbytes == 240
    assert spec.memory_shape == (1, 4, 5, 3)
