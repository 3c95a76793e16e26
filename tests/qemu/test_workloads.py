# SPDX-License-Identifier: BSD-3-Clause
"""The MLPerf Tiny workloads through `mcugen infer`: the published runtime's bytes, exactly.

Two of them in an image for the M55; one for the M4 is built by test_stack.py. Every golden file
runs, but not each in an image of its own: the others on the runner, in test_push.py (int8) and
test_golden_on_every_cpu.py (float, and files made for another ISA). That images of all of them
give the host reference's bytes is shown by test_recorded_figures.py.
"""

from __future__ import annotations

from pathlib import Path

import pytest

pytestmark = [pytest.mark.qemu, pytest.mark.toolchain, pytest.mark.torch]

GOLDEN = Path(__file__).parent.parent / "golden" / "mlperf_tiny"

CASES = [("vww", "float"), ("ic", "int8")]


@pytest.mark.parametrize("model, io", CASES)
def test_infer_gives_the_published_bytes(mcugen, tmp_path, model, io):
    quantized = "q_" if io == "int8" else ""
    pte = GOLDEN / f"{model}_cm_{quantized}m55.pte"
    inputs = GOLDEN / (f"{model}_input_i8.bin" if io == "int8" else f"{model}_input_f32.bin")
    expected = GOLDEN / (
        f"{model}_cm_q_upstream_out.i8.bin" if io == "int8" else f"{model}_cm_upstream_out.f32.bin"
    )
    output = tmp_path / "out.bin"

    mcugen("infer", pte, "--board", "qemu-m55", "--input", inputs, "--output", output)

    assert output.read_bytes() == expected.read_bytes()
