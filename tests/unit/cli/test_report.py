# SPDX-License-Identifier: BSD-3-Clause
from __future__ import annotations

import json
from pathlib import Path

import pytest
import samples_of_specs as sample
from serial_peer import default_info

from mcugen.base.errors import ProtocolError
from mcugen.cli.terminal import Terminal
from mcugen.device.judgement import Judgement, Scores
from mcugen.device.measure import Measurement
from mcugen.device.protocol.info import parse_info
from mcugen.device.timing import Timing
from mcugen.device.verify import Verification
from mcugen.export.fidelity import (
    Column,
    Fidelity,
    InputFidelity,
    OutputFidelity,
    not_compared,
)
from mcugen.flow.report.documents import measurement_document
from mcugen.flow.report.text import fidelity_lines, measurement_text


def measurement(*, simulated: bool = True, exact: int = 10, **told: object) -> Measurement:
    info = parse_info(json.dumps(default_info() | told))
    return Measurement(
        board=sample.board(),
        simulated=simulated,
        firmware_id=sample.FIRMWARE_ID,
        pte_sha256=info.pte_sha256,
        info=info,
        toolchain="arm-none-eabi-g++ 12.2",
        flags="-Os",
        transcript=Path("transcript.txt"),
        timing=Timing(
            counter="instructions" if simulated else "cycles",
            counts=(1000, 1040, 1040),
            warmups=1,
            empty_ticks=3,
            counter_kind="systick",
            counter_hz=25_000_000,
            latency_us=None if simulated else 41.6,
        ),
        verification=Verification(
            10,
            exact,
            10 - exact,
            None,
            "tfds:x",
            judgement=Judgement(accuracy=Scores(1.0, 0.9, 0.9)),
        ),
    )


@pytest.fixture
def document(tmp_path):
    return measurement_document(
        "mcugen.report/1",
        sample.artifact(),
        sample.plan(),
        sample.image(tmp_path),
        measurement(),
    )


def test_report_has_the_documented_shape(document):
    assert document["schema"] == "mcugen.report/1"
    assert document["model"]["pte_bytes"] == 108
    assert document["board"] | {"name": ""} == {
        "id": "qemu-m4",
        "name": "",
        "cpu": "cortex-m4",
        "isa": "dsp",
        "simulated": True,
        "clock_hz": 25_000_000,
        "clock_source": "fixed",
        "clock_tolerance": None,
        "nominal_clock_hz": sample.board().clock_hz,
        "qemu_machine": "mps2-an386",
    }
    assert document["firmware"]["stack_peak_bytes"] == 900
    assert document["firmware"]["planned_bytes"] == 64
    assert document["timing"]["median"] == 1040
    assert document["verify"]["accuracy"] == {"float": 1.0, "int8_host": 0.9, "device": 0.9}
    assert document["verify"]["auc"] == {"float": None, "int8_host": None, "device": None}
    assert document["operators"] == [
        {"name": "cortex_m::quantized_add.out", "calls": 1, "int8": True, "layers": ["add"]}
    ]
    json.dumps(document)


def test_simulated_run_shows_instructions_and_never_a_time(document):
    text = measurement_text(document, Terminal())

    assert "instructions  1,040 per inference" in text
    assert "counts instructions" in text
    assert not any(word in text for word in ("latency", "µs", "cycles", "MHz"))


def test_real_run_shows_cycles_and_the_latency_at_the_real_clock(tmp_path):
    document = measurement_document(
        "mcugen.report/1",
        sample.artifact(),
        sample.plan(),
        sample.image(tmp_path),
        measurement(simulated=False),
    )

    text = measurement_text(document, Terminal())

    assert "cycles        1,040 per inference" in text
    assert "41.6 µs at 25 MHz" in text
    assert "instructions" not in text


def test_what_an_rc_oscillator_times_is_known_to_a_percent(tmp_path):
    document = measurement_document(
        "mcugen.report/1",
        sample.artifact(),
        sample.plan(),
        sample.image(tmp_path),
        measurement(simulated=False, clock_source="hsi"),
    )

    text = measurement_text(document, Terminal())

    assert document["board"]["clock_tolerance"] == 0.01
    assert "41.6 µs ±1 % at 25 MHz ±1 %" in text
    assert "25 MHz ±1 % from hsi" in text


def test_a_board_tells_how_its_flash_is_read(tmp_path):
    flash = {"wait_states": 5, "prefetch": True, "icache": True, "dcache": False}
    document = measurement_document(
        "mcugen.report/1",
        sample.artifact(),
        sample.plan(),
        sample.image(tmp_path),
        measurement(simulated=False, clock_source="pll", flash=flash),
    )

    assert document["board"]["flash"] == flash
    text = measurement_text(document, Terminal())
    assert "25 MHz from pll, 5 wait states, prefetch, instruction cache)" in text


@pytest.mark.parametrize("flash", [{}, {"wait_states": True}, 5])
def test_what_is_told_of_flash_must_be_whole(flash):
    with pytest.raises(ProtocolError, match="usable"):
        parse_info(json.dumps(default_info() | {"flash": flash}))


def test_mismatch_is_not_called_equal(tmp_path):
    document = measurement_document(
        "mcugen.verify/1",
        sample.artifact(),
        sample.plan(),
        sample.image(tmp_path),
        measurement(exact=7),
    )

    assert "7 of 10 samples equal, largest difference 3" in measurement_text(document, Terminal())


def test_no_colour_codes_when_stdout_is_not_a_terminal(document):
    assert "\x1b" not in measurement_text(document, Terminal())


FIDELITY = Fidelity(
    samples=64,
    data="tfds:x",
    outputs=(
        OutputFidelity(
            "output0", 36.1, 36.4, 0.12, 0.98, 0.01, (Column(41.0, 0.1), Column(None, 0.0))
        ),
    ),
    inputs=(InputFidelity("input0", 0.02, 0.0),),
    causes=(),
)


def test_verify_and_run_say_how_far_the_float_model_is(tmp_path):
    document = measurement_document(
        "mcugen.verify/1",
        sample.artifact(),
        sample.plan(),
        sample.image(tmp_path),
        measurement(),
        fidelity=FIDELITY.to_json(),
    )

    line = "  fidelity      against your model in float: 36.1 dB, top class 98 %"
    assert line in measurement_text(document, Terminal()).splitlines()
    assert document["fidelity"]["outputs"][0]["sqnr_db"] == 36.1
    json.dumps(document, allow_nan=False)


def test_inspect_lists_outputs_and_columns():
    text = "\n".join(fidelity_lines(FIDELITY.to_json()))

    assert "output0: 36.1 dB, largest error 0.12, top class 98.00 %, 1.00 % at the limits" in text
    assert "by column: 41.0 dB, equal" in text
    assert "input0: 2.00 % at the limits of int8" in text
    assert "64 samples of tfds:x" in text


def test_a_pte_is_not_compared():
    (line,) = fidelity_lines(not_compared().to_json())

    assert line == "  fidelity      not compared with a model"
