# SPDX-License-Identifier: BSD-3-Clause
"""Instructions, estimated cycles, flash and RAM of the suite do not get worse unseen.

A figure that is worse than the one in tests/bench/recorded.json by more than 1 % fails. Where that
is meant, the recorded figure changes in the same commit: `make bench`, which also writes
docs/performance.md, or `pytest tests/qemu/test_recorded_figures.py --update-golden`.

`bench --suite` ends with an error where an image's output is not the host reference's of the
program as exported: so each level of `--optimize`, too, is held to the same bytes here. And each
image's stack to what its machine code needs.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "bench"))
from record import figures_of, name_of, record, recorded
from stack_check import check_stack

#: Networks by board: all on the one that most is said about, a small one on the other ISAs.
MEASURED = {"qemu-m4": "kws,vww,ic,ad", "qemu-m55": "kws", "qemu-m0": "kws"}
WORSE = 1.01
CONVOLUTIONS = ("kws", "vww", "ic")  #: networks that are mostly these


def complaints(old: dict[str, int], new: dict[str, int], case: str) -> list[str]:
    """Return a line for each figure that is worse by more than 1 %."""
    return [
        f"{case}: {figure} {old[figure]:,} → {value:,} ({100 * (value / old[figure] - 1):+.1f} %)"
        if figure in old
        else f"{case}: {figure} {value:,} was never recorded"
        for figure, value in new.items()
        if value > WORSE * old.get(figure, 0)
    ]


def check_levels(cells: list[dict[str, Any]]) -> None:
    """Weights are packed at speed, and size takes less code."""
    by_level = {(cell["network"], cell["level"]): cell for cell in cells}
    for network, level in by_level:
        if level == "speed" and network in CONVOLUTIONS:
            operators = [call["operator"] for call in by_level[network, level]["calls"]]
            assert any(each.startswith("mcugen::packed_conv2d") for each in operators), network
        if level == "size":
            engine = by_level[network, "balanced"]["engine_bytes"]
            assert by_level[network, level]["engine_bytes"] < 0.9 * engine, network


@pytest.mark.qemu
@pytest.mark.toolchain
@pytest.mark.torch
@pytest.mark.parametrize("board", MEASURED)
def test_figures_are_no_worse_than_recorded(mcugen, tmp_path, update_golden, board):
    arguments = ("bench", "--suite", MEASURED[board], "--board", board, "--json")
    cells = json.loads(mcugen(*arguments, cwd=tmp_path, timeout=1800).stdout)["cells"]
    if update_golden:
        record(cells)
    check_levels(cells)
    for cell in cells:
        image = f"suite-{cell['network']}-{board}-{cell['level']}/.pio/build/{board}/firmware.elf"
        check_stack(tmp_path / "mcugen_out" / image, cell["ram"]["stack_peak_bytes"])

    old = recorded()
    worse = [
        line
        for cell in cells
        for line in complaints(old.get(name_of(cell), {}), figures_of(cell), name_of(cell))
    ]
    assert not worse, "worse than recorded by more than 1 %; if that is meant, " + (
        "record it in the same commit (make bench, or --update-golden here):\n  "
        + "\n  ".join(worse)
    )


def test_a_figure_is_worse_from_one_percent_on_and_when_it_was_never_recorded():
    old = {"instructions": 1000, "ram_bytes": 500}

    assert complaints(old, {"instructions": 1010, "ram_bytes": 400}, "a") == []
    assert complaints(old, {"instructions": 1011, "ram_bytes": 500}, "a") == [
        "a: instructions 1,000 → 1,011 (+1.1 %)"
    ]
    assert complaints({}, {"instructions": 5}, "a") == ["a: instructions 5 was never recorded"]
