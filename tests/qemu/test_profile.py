# SPDX-License-Identifier: BSD-3-Clause
"""`mcugen profile`: a trace of the unmodified image, held to what the device itself counts.

What the device counts call by call is held to the trace.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "torch"))
from stateful_programs import exported

pytestmark = [pytest.mark.qemu, pytest.mark.toolchain, pytest.mark.torch]

KWS = Path(__file__).parent.parent / "golden" / "mlperf_tiny" / "kws_cm_q_m55.pte"
#: The Nucleo's counter is the finest. QEMU's disassembler does not know Helium; a file has no names
#: of layers.
BOARDS = {"nucleo": "digits", "qemu-m55": KWS}


@pytest.fixture(scope="module", params=BOARDS)
def profiled(request, mcugen, tmp_path_factory):
    """What `profile`, `bench` and `profile --counter` say of the same image."""
    cwd = tmp_path_factory.mktemp("profile")
    simulate = ["--simulate"] if request.param == "nucleo" else []
    model = [BOARDS[request.param], "--board", request.param]
    profile = mcugen("profile", *model, *simulate, "--json", cwd=cwd)
    bench = mcugen("bench", *simulate, "--runs", "2", "--json", cwd=cwd)
    counted = mcugen("profile", *simulate, "--counter", "--runs", "2", "--json", cwd=cwd)
    return json.loads(profile.stdout), json.loads(bench.stdout), json.loads(counted.stdout)


def test_the_calls_sum_up_to_what_the_device_counts(profiled):
    profile, bench, _ = profiled
    total = profile["total"]

    # A tick is lost at the start and one at the end at most, and the counter's own code varies.
    slack = 3 * total["counter_resolution"]
    parts = sum(call["instructions"] for call in profile["calls"])
    assert profile["schema"] == "mcugen.profile/1"
    assert parts + profile["runtime"]["instructions"] == total["instructions"]
    assert abs(total["instructions"] - bench["timing"]["median"]) <= slack
    assert abs(total["counted_instructions"] - bench["timing"]["median"]) <= slack
    assert profile["firmware"]["id"] == bench["firmware"]["id"]


def test_a_call_has_its_layer_tensors_and_kernel(profiled):
    profile, _, _ = profiled
    calls = profile["calls"]
    last = [call for call in calls if call["macs"]][-1]
    made_here = profile["board"]["id"] != "qemu-m55"

    assert sum(call["macs"] for call in calls) == profile["model"]["macs"]
    assert last["operator"].startswith(("mcugen::quantized_linear", "mcugen::packed_linear"))
    assert bool(last["layer"]) == made_here
    assert last["outputs"][0]["shape"] == [1, 10 if made_here else 12]
    assert [t["name"] for t in last["inputs"] if t["constant"]]
    # The products are made in a function that is known by name.
    busiest = max(calls, key=lambda call: call["instructions"])
    assert busiest["functions"][0]["instructions"] > 0.5 * busiest["instructions"]
    assert busiest["macs_per_instruction"] == pytest.approx(
        busiest["macs"] / busiest["instructions"], abs=1e-4
    )


def test_cycles_are_estimated_where_there_is_a_model_of_the_core(profiled):
    profile, _, _ = profiled
    total = profile["total"]

    if profile["board"]["cpu"] == "cortex-m55":
        assert total["estimated_cycles"] is None and profile["cycle_model"] is None
    else:
        parts = sum(call["estimated_cycles"] for call in profile["calls"])
        assert parts + profile["runtime"]["estimated_cycles"] == total["estimated_cycles"]
        assert total["instructions"] < total["estimated_cycles"] < 3 * total["instructions"]
        assert "DDI 0439B" in profile["cycle_model"]["source"]


def test_a_branch_that_is_not_taken_has_no_runs(mcugen, tmp_path):
    pte = tmp_path / "branch.pte"
    pte.write_bytes(exported("branch"))

    done = mcugen("profile", pte, "--board", "qemu-m4", "--json", cwd=tmp_path)

    profile = json.loads(done.stdout)
    runs = {call["operator"].partition(".")[0]: call["runs"] for call in profile["calls"]}
    assert runs["aten::sum"] == 1
    assert runs["aten::mul"] + runs["aten::sub"] == 1
    assert all(bool(call["runs"]) == bool(call["instructions"]) for call in profile["calls"])


def test_the_device_times_each_call(profiled):
    traced, bench, counted = profiled
    total = counted["total"]["instructions"]
    resolution = counted["counter_resolution"]

    assert (traced["by"], counted["by"]) == ("trace", "counter")
    assert abs(total - bench["timing"]["median"]) <= 3 * resolution
    assert counted["timing"]["runs"] == 2 and "estimated_cycles" not in counted["total"]
    parts = sum(call["instructions"] for call in counted["calls"])
    assert parts + counted["runtime"]["instructions"] == pytest.approx(total, abs=3 * resolution)
    assert 0 < counted["counting"] < 200
    assert len(counted["calls"]) == len(traced["calls"])
    for call, by_trace in zip(counted["calls"], traced["calls"], strict=True):
        same = ("number", "layer", "operator", "inputs", "outputs", "macs", "form", "why")
        assert [call[key] for key in same] == [by_trace[key] for key in same]
        # Of the runtime's share: putting the arguments together, some ten for each.
        assert abs(call["instructions"] - by_trace["instructions"]) <= 220 + 2 * resolution
        assert call["instructions_min"] <= call["instructions"] <= call["instructions_max"]


def test_a_table_says_what_was_measured_and_how(mcugen, tmp_path):
    """A program that keeps state: each inference starts from the state as loaded."""
    pte = tmp_path / "smooth.pte"
    pte.write_bytes(exported("zeros"))

    done = mcugen("profile", pte, "--board", "qemu-m0", "--counter", "--runs", "2", cwd=tmp_path)

    assert "instructions measured by SysTick at 25 MHz (fixed), median of 2 runs" in done.stdout
    assert "(between the calls)" in done.stdout and "steps of 40 instructions" in done.stdout
    assert "reading the counter took" in done.stdout


def test_a_program_that_branches_is_not_timed_by_the_counter(mcugen, tmp_path):
    pte = tmp_path / "branch.pte"
    pte.write_bytes(exported("branch"))

    done = mcugen("profile", pte, "--board", "qemu-m4", "--counter", cwd=tmp_path, exit_code=2)

    assert "the program branches" in done.stderr
    assert "start QEMU" not in done.stderr


def test_a_trace_has_no_runs(mcugen, tmp_path):
    done = mcugen(
        "profile", "digits", "--board", "qemu-m4", "--runs", "3", cwd=tmp_path, exit_code=2
    )

    assert "--runs and --warmups go with --counter" in done.stderr
    assert "compile" not in done.stderr


def test_a_real_board_that_is_not_there_is_noticed_before_it_is_built_for(mcugen, tmp_path):
    done = mcugen("profile", "digits", "--board", "nucleo", cwd=tmp_path, exit_code=7)

    assert "is attached" in done.stderr
    assert "--simulate to run on QEMU" in done.stderr
    assert "compile" not in done.stderr
