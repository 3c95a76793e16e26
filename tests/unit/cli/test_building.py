# SPDX-License-Identifier: BSD-3-Clause
"""What a build is made for, and what is said where that is no other than was asked for."""

from __future__ import annotations

from pathlib import Path

import pytest

from mcugen.cli.config import Config
from mcugen.cli.options import Options
from mcugen.cli.settings import resolve_with
from mcugen.cli.terminal import Terminal
from mcugen.flow.building import _level
from mcugen.program.level import Level


@pytest.mark.parametrize(
    ("board", "optimize", "runtime", "level", "warning"),
    [
        ("m4", None, None, Level.BALANCED, ""),
        ("m4", "size", None, Level.SIZE, ""),
        ("m4", "speed", None, Level.SPEED, ""),
        ("m3", "speed", None, Level.SPEED, ""),
        ("m4", "speed", Path("prefix"), Level.BALANCED, "speed has no effect on ExecuTorch's"),
        ("m4", "size", Path("prefix"), Level.BALANCED, "size has no effect on ExecuTorch's"),
        ("m4", None, Path("prefix"), Level.BALANCED, ""),
    ],
)
def test_a_level_that_changes_nothing_is_a_warning(
    tmp_path, capsys, board, optimize, runtime, level, warning
):
    options = Options(model="kws", board=f"qemu-{board}", optimize=optimize, runtime=runtime)
    settings = resolve_with(options, Config(root=tmp_path))

    assert _level(settings, Terminal()) is level
    said = capsys.readouterr().err
    assert warning in said if warning else not said
