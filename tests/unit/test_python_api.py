# SPDX-License-Identifier: BSD-3-Clause
"""What `import mcugen` hands out, without torch or a compiler."""

from __future__ import annotations

import subprocess
import sys

import pytest

import mcugen
from mcugen.api.html import report_html
from mcugen.api.report import Report
from mcugen.base import errors
from mcugen.export.fidelity import not_compared


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
