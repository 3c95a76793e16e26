# SPDX-License-Identifier: BSD-3-Clause
"""The MLPerf Tiny workloads through `mcugen infer`: the published runtime's bytes, exactly.

Files made for another ISA, and the other cores: test_golden_on_every_cpu.py.
"""

from __future__ import annotations

from pathlib import Path

import pytest

pytestmark = [pytest.mark.qemu, pytest.mark.toolchain, pytest.mark.torch]

GOLDEN = Path(__file__).parent.parent / "golden" / "mlperf_tiny"

CASES = [
    pytest.param(model, io, lowered_for, board, id=f"{model}-{io}-{lowered_for}-on-{board}")
    for model in ("kws", "vww", "ic", "ad")
    for io in ("int8", "float")
    for lowered_for, board in (("m4", "qemu-m4"), ("m55", "qemu-m55"))
]


@pytest.mark.parametrize("model, io, lowered_for, board", CASES)
def test_infer_gives_the_published_bytes(mcugen, tmp_path, model, io, lowered_for, board):
    quantized = "q_" if io == "int8" else ""
    pte = GOLDEN / f"{model}_cm_{quantized}{lowered_for}.pte"
    inputs = GOLDEN / (f"{model}_input_i8.bin" if io == "int8" else f"{model}_input_f32.bin")
    expected = GOLDEN / (
        f"{model}_cm_q_upstream_out.i8.bin" if io == "int8" else f"{model}_cm_upstream_out.f32.bin"
    )
    output = tmp_path / "out.bin"

    mcugen("infer", pte, "--board", board, "--input", inputs, "--output", output)

    assert output.read_bytes() == expected.read_bytes()
