# SPDX-License-Identifier: BSD-3-Clause
"""What `import mcugen` hands out, without torch or a compiler."""

from __future__ import annotations

import inspect
import subprocess
import sys
from dataclasses import fields

import pytest
import samples_of_specs as sample
from serial_peer import Peer, default_info, running

import mcugen
from mcugen.api.html import report_html
from mcugen.api.report import Report
from mcugen.base import errors
from mcugen.boards.load import load_board
from mcugen.cli.options import Options
from mcugen.export.fidelity import not_compared
from mcugen.export.layer_report import QuantizationReport
from mcugen.flow import measuring
from mcugen.flow.building import Built


def test_import_loads_nothing_heavy():
    """0.1 s at most, of which this machine's load is no part: what is imported is counted."""
    code = "import sys; old = set(sys.modules); import mcugen; print(len(set(sys.modules) - old))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert int(done.stdout) < 40


def test_every_name_is_there_and_every_error_is_the_package_s():
    for name in mcugen.__all__:
        assert getattr(mcugen, name).__name__ == name

    raised = {
        name
        for name, value in vars(errors).items()
        if isinstance(value, type) and issubclass(value, errors.McugenError)
    }
    assert raised <= set(mcugen.__all__)
    assert set(mcugen.__all__) <= set(dir(mcugen))


def test_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="has no attribute 'biuld'"):
        mcugen.biuld  # noqa: B018


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: mcugen.Model(3, ()), "module is a int, not a torch.nn.Module"),
        (lambda: mcugen.build("digit"), "unknown model 'digit'"),
        (lambda: mcugen.build(3), "a model cannot be a int"),
        (lambda: mcugen.build("digits", "nucelo"), "nucelo"),
        (lambda: mcugen.build("digits", io="int16"), "^io must be int8 or float, not 'int16'"),
        (lambda: mcugen.build("digits", optimize="fast"), "^optimize must be size"),
        (lambda: mcugen.run("digits", "qemu-m4", device="/dev/x"), "^device names a real device"),
        (lambda: mcugen.run("digits", "qemu-m4", runs=0), "runs must be a whole number from 1"),
        (lambda: mcugen.run("digits", "qemu-m4", data=[1]), "samples in memory, a list"),
        (lambda: mcugen.profile("digits", "qemu-m4", runs=2), "runs and warmups go with counter"),
    ],
)
def test_misuse_is_a_config_error_before_any_work(call, words):
    with pytest.raises(mcugen.ConfigError, match=words):
        call()


def test_html_of_a_report_holds_no_markup_of_others():
    evil = "<script>alert(1)</script>"
    row = {"layer": evil, "operator": evil, "int8": True, "reason": f"'\"&{evil}"}
    made = report_html(evil, [(evil, evil)], [evil], [row], evil)

    assert "<script" not in made
    assert made.count("&lt;script&gt;") == 8
    assert "<td" in made and "&#39;&#34;&amp;" in made


def test_report_of_no_build_is_no_model():
    looked_at = Report({}, lambda document, painter: "", (), not_compared())

    with pytest.raises(mcugen.ConfigError, match="a model that was not built"):
        mcugen.verify(looked_at)


def test_verification_that_fails_is_raised_with_its_report(tmp_path, monkeypatch, capfd):
    """The host's reference is put in by the test, the device is real enough."""
    inputs = [(bytes(range(n, n + 16)),) for n in range(4)]
    right = [(bytes(2 * v for v in x[0]),) for x in inputs]
    found = measuring.Evaluation(inputs, right, "the test's")
    monkeypatch.setattr(measuring, "evaluation", lambda *_, **__: found)
    monkeypatch.chdir(tmp_path)

    def wrong(data: bytes) -> bytes:
        doubled = bytearray(2 * v for v in data)
        doubled[7] += data[0] == 2
        return bytes(doubled)

    pte = tmp_path / "double.pte"
    pte.write_bytes(sample.artifact().pte)
    board = load_board("nucleo_f446re")
    built = Built(
        *(str(pte), board, "int8", None, sample.artifact(), sample.artifact(), sample.plan()),
        *(sample.image(tmp_path), not_compared(), QuantizationReport()),
    )
    described = {"board": board.id, "pte_sha256": sample.artifact().sha256}
    peer = Peer(info=default_info() | described, compute=wrong)
    said = []

    with running(peer), pytest.raises(mcugen.OutputMismatchError, match="1 of 4") as raised:
        mcugen.verify(
            Report({}, str, (), not_compared(), built=built),
            device=peer.url,
            progress=lambda *step: said.append(step),
        )

    report = raised.value.report
    assert report.bit_exact == (3, 4)
    assert "3 of 4 samples equal" in str(report)
    assert any("memory" in text for text in report.warnings)
    assert ("verify 4 samples", 4, 4) in said
    assert capfd.readouterr() == ("", "")


def test_what_the_command_line_can_be_told_python_can_be_told():
    """Options and keywords are two lists of the same names."""
    functions = (mcugen.build, mcugen.run, mcugen.verify, mcugen.profile, mcugen.inspect)
    keywords = {name for each in functions for name in inspect.signature(each).parameters}

    assert {each.name for each in fields(Options)} <= keywords
    assert "preprocess" in keywords  # of mcugen.toml
    for keyword in inspect.signature(mcugen.build).parameters:
        assert keyword in inspect.signature(mcugen.run).parameters
