# SPDX-License-Identifier: BSD-3-Clause
from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def digits_m4(mcugen, tmp_path_factory) -> Path:
    """A folder in which digits was built for qemu-m4, named by the board as the rig names it."""
    folder = tmp_path_factory.mktemp("builds") / "qemu-m4"
    folder.mkdir()
    mcugen("build", "digits", "--board", "qemu-m4", cwd=folder)
    return folder
