# SPDX-License-Identifier: BSD-3-Clause
"""The main job, end to end, on the simulated Nucleo."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = [pytest.mark.qemu, pytest.mark.toolchain, pytest.mark.torch]

REPORT_KEYS = {
    "model": {"name", "sha256", "pte_bytes", "macs"},
    "board": {"id", "cpu", "isa", "simulated", "clock_hz"},
    "firmware": {
        "id",
        "flash_bytes",
        "flash_total",
        "ram_bytes",
        "ram_total",
        "engine_bytes",
        "model_bytes",
        "planned_bytes",
        "method_bytes",
        "temp_bytes",
        "stack_peak_bytes",
    },
    "timing": {"counter", "runs", "warmups", "min", "median", "p99", "max", "latency_us"},
    "verify": {"samples", "bit_exact", "max_step", "accuracy"},
}


@pytest.fixture(scope="module")
def reports(mcugen, tmp_path_factory):
    """Two runs of the whole path in one folder."""
    cwd = tmp_path_factory.mktemp("run")
    arguments = ("run", "digits", "--board", "nucleo", "--simulate", "--json")
    return [json.loads(mcugen(*arguments, cwd=cwd).stdout) for _ in range(2)]


def test_report_has_every_documented_key(reports):
    report = reports[0]

    assert report["schema"] == "mcugen.report/1"
    for section, keys in REPORT_KEYS.items():
        assert keys <= report[section].keys()
    assert report["verify"]["accuracy"].keys() >= {"float", "int8_host", "device"}
    assert all({"name", "calls", "int8"} <= operator.keys() for operator in report["operators"])
    assert report["project"] and report["transcript"]


def test_device_computes_what_the_host_computes(reports):
    verify = reports[0]["verify"]

    assert verify["samples"] >= 200
    assert verify["bit_exact"] == verify["samples"]
    assert verify["max_step"] == 0
    assert verify["accuracy"]["device"] == verify["accuracy"]["int8_host"] >= 0.95
    assert abs(verify["accuracy"]["device"] - verify["accuracy"]["float"]) <= 0.01


def test_instruction_count_is_deterministic_and_is_no_latency(reports):
    first, second = (report["timing"] for report in reports)

    assert first["counter"] == "instructions"
    assert first["median"] == second["median"] > 0
    assert first["min"] <= first["median"] <= first["p99"] <= first["max"]
    assert first["latency_us"] is None


def test_the_core_sleeps_at_the_start_of_a_line_of_flash(reports):
    """ES0182 2.1.3: elsewhere, a core that sleeps with DBG_SLEEP set may wake to something else."""
    dump = ("arm-none-eabi-objdump", "-d", "--no-show-raw-insn", reports[0]["firmware"]["elf"])
    lines = subprocess.run(dump, capture_output=True, text=True, check=True).stdout.splitlines()
    code = [line.split() for line in lines if re.match(r"\s+[0-9a-f]+:\t", line)]
    sleeps = [at for at, words in enumerate(code) if words[1].startswith("wfi")]

    assert sleeps
    for at in sleeps:
        assert int(code[at][0].rstrip(":"), 16) % 16 == 0
        assert [words[1] for words in code[at + 1 : at + 5]] == ["isb", "nop", "nop", "nop"]


def test_engine_stays_small(reports):
    """At most 52 KiB of flash; static RAM beyond the model's own buffers and the stack: 4 KiB."""
    firmware = reports[0]["firmware"]

    assert firmware["engine_bytes"] <= 52 * 1024
    assert firmware["static_ram_bytes"] <= 4 * 1024
    assert firmware["flash_total"] == 512 * 1024
    assert firmware["ram_total"] == 128 * 1024


def test_a_build_with_nothing_changed_imports_no_torch(reports):
    """Whatever the report shows: importing it alone takes longer than all of such a build."""
    code = (
        "import sys; from mcugen.cli.app import run_arguments;"
        "status = run_arguments(sys.argv[1:]); print(status, 'torch' in sys.modules)"
    )
    folder = Path(reports[0]["project"]).parent.parent
    build = [sys.executable, "-c", code, "build", "digits", "--board", "nucleo"]
    for _ in range(2):  # the first may have to find out what only `build` shows
        done = subprocess.run(build, cwd=folder, capture_output=True, text=True, check=True)

    assert done.stdout.splitlines()[-1] == "0 False", done.stdout + done.stderr


def test_prediction_equals_what_the_device_used(reports):
    memory = reports[0]["device"]["memory"]
    firmware = reports[0]["firmware"]

    assert memory["planned"][1] == firmware["planned_bytes"]
    used, total = memory["method"]
    assert total == firmware["method_bytes"]
    assert 0 <= total - used < 16  # pools are multiples of 16 bytes
    assert memory["temp"][1] == firmware["temp_bytes"]
    assert 0 < memory["stack"][0] < memory["stack"][1]


def test_every_operator_of_digits_is_int8(reports):
    assert reports[0]["operators"]
    assert all(operator["int8"] for operator in reports[0]["operators"])


def test_a_locked_build_passes_unchanged_and_refuses_what_differs(reports, mcugen):
    project = Path(reports[0]["project"])
    cwd = project.parents[1]
    mcugen("build", "digits", "--board", "nucleo", cwd=cwd)
    lock = project / "mcugen.lock"
    written = lock.read_text()

    mcugen("build", "digits", "--board", "nucleo", "--locked", cwd=cwd)

    assert lock.read_text() == written
    lock.write_text(written.replace('"seed": 0', '"seed": 1'))
    refused = mcugen("build", "digits", "--board", "nucleo", "--locked", cwd=cwd, exit_code=2)
    assert "calibration.seed: locked 1, now 0" in refused.stderr
