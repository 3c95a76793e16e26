# SPDX-License-Identifier: BSD-3-Clause
"""What the folders of the firmware may include (firmware/README.md, firmware/ops/README.md)."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from mcugen.base.resources import firmware_dir

#: Folder → those of the others that it includes.
ALLOWED = {
    "app": {"port"},
    "bsp": {"port"},
    "kernels": set(),
    "ops": {"kernels"},
    "port": set(),
    "runtime": set(),
    "upstream": {"app", "port"},
}
MOST_LINES = 500


def sources(folder: str) -> list[Path]:
    return sorted(
        path for path in (firmware_dir() / folder).rglob("*") if path.suffix in (".cpp", ".h")
    )


def included(path: Path) -> list[str]:
    """Return the headers of the firmware that a file includes."""
    found = re.findall(r"^#include <(\w+/[^>]+)>", path.read_text("utf-8"), re.M)
    return [name for name in found if name.partition("/")[0] in ALLOWED]


@pytest.mark.parametrize("folder", ALLOWED)
def test_a_folder_includes_no_other_than_it_may(folder: str) -> None:
    wrong = [
        f"{path.name}: {name}"
        for path in sources(folder)
        for name in included(path)
        if name.partition("/")[0] not in ALLOWED[folder] | {folder}
    ]

    assert sources(folder)
    assert wrong == []


def test_a_family_of_operators_includes_no_other() -> None:
    """What two need is in common/."""
    wrong = [
        f"{path.name}: {name}"
        for path in sources("ops")
        for name in included(path)
        if path.name != "ops.h"
        and name.startswith("ops/")
        and name.split("/")[1] not in (path.parent.name, "common")
    ]

    assert wrong == []


def test_the_code_of_a_header_of_operators_is_beside_it() -> None:
    """So that the sources an operator needs follow from what it includes."""
    alone = [
        path.name
        for path in sources("ops")
        if path.suffix == ".cpp"
        and not path.with_suffix(".h").exists()
        and not path.name.startswith("op_")
    ]

    assert alone == []


@pytest.mark.parametrize("folder", ALLOWED)
def test_no_file_is_long(folder: str) -> None:
    files = [path for path in (firmware_dir() / folder).rglob("*") if path.is_file()]
    text = [path for path in files if path.suffix in (".cpp", ".h", ".toml")]

    assert [path.name for path in text if len(path.read_text().splitlines()) > MOST_LINES] == []
