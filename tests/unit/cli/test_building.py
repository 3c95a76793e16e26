# SPDX-License-Identifier: BSD-3-Clause
"""What a build is made for, and what is said where that is no other than was asked for."""

from __future__ import annotations

from pathlib import Path

import pytest

from mcugen.cli.building import _level
from mcugen.cli.config import Config
from mcugen.cli.options import Options
from mcugen.cli.settings import resolve_with
from mcugen.cli.terminal import Terminal
from mcugen.program.level import Level


@pytest.mark.parametrize(
    ("optimize", "runtime", "level", "warning"),
    [
        (None, None, Level.BALANCED, ""),
        ("size", None, Level.SIZE, ""),
        ("speed", None, Level.SPEED, ""),
        ("speed", Path("prefix"), Level.BALANCED, "--optimize speed has no effect on ExecuTorch's"),
        ("size", Path("prefix"), Level.BALANCED, "--optimize size has no effect on ExecuTorch's"),
        (None, Path("prefix"), Level.BALANCED, ""),
    ],
)
def test_a_level_that_changes_nothing_is_a_warning(
    tmp_path, capsys, optimize, runtime, level, warning
):
    options = Options(model="kws", board="qemu-m4", optimize=optimize, runtime=runtime)
    settings = resolve_with(options, Config(root=tmp_path))

    assert _level(settings, Terminal()) is level
    said = capsys.readouterr().err
    assert warning in said if warning else not said
