# SPDX-License-Identifier: BSD-3-Clause
"""What the suite compares with, and its report. Whole runs: tests/qemu/test_recorded_figures.py."""

from __future__ import annotations

from typing import Any

import pytest

from mcugen.base.errors import ConfigError
from mcugen.cli.suite.cases import LEVELS, NETWORKS, cases
from mcugen.cli.suite.compared import (
    goals,
    judged,
    published,
    published_calls,
    published_instructions,
)
from mcugen.cli.suite.markdown import performance_page, summary


def cell(network: str, cpu: str, **figures: Any) -> dict[str, Any]:
    every = {
        **{"network": network, "board": "qemu-" + cpu[7:], "cpu": cpu, "level": "balanced"},
        **{"fits": True, "instructions": 2_000_000, "estimated_cycles": 3_000_000},
        **{"estimated_cycles_range": (2_900_000, 3_100_000), "macs_per_instruction": 1.33},
        **{"published_instructions": 8_457_360, "ratio": 0.24, "ram_bytes": 21_000},
        "ram": dict.fromkeys(
            ("planned_bytes", "method_bytes", "temp_bytes", "io_bytes", "stack_peak_bytes"), 1
        )
        | {"static_ram_bytes": 1_800},
        "engine_bytes": 30_000,
        "flash": {"engine": 30_000, "model": 35_696, "flash": 66_000},
        "calls": [
            {
                **{"layer": "conv", "operator": "cortex_m::quantized_conv2d.out", "macs": 512_000},
                **{"instructions": 400_000, "macs_per_instruction": 1.28, "share": 0.2},
                **{"estimated_cycles": 600_000, "kernel": "conv", "published_instructions": 1_000},
            }
        ],
    }
    return every | figures


def document(*cells: dict[str, Any]) -> dict[str, Any]:
    return {
        **{"toolchain": "gcc 12", "qemu": "7.2", "cells": list(cells), "goals": judged(cells)},
        "published": {"source": "a commit"},
    }


def test_every_network_runs_on_every_simulated_board():
    every = [each for each in cases(None, None) if each.level == "balanced"]

    assert len(every) == len(NETWORKS) * 6
    assert [each.board.cpu for each in every[:: len(NETWORKS)]] == [
        *("cortex-m0plus", "cortex-m3", "cortex-m4", "cortex-m7", "cortex-m33", "cortex-m55")
    ]


def test_levels_run_where_they_have_a_goal():
    every = cases(None, None)

    for level in set(LEVELS) - {"balanced"}:
        assert {each.board.cpu for each in every if each.level == level} == {"cortex-m4"}


def test_networks_and_boards_are_narrowed_down_by_names_with_commas():
    every = cases("kws,ad", "qemu-m3,qemu-m7")

    assert [(each.network, each.board.id) for each in every] == [
        *(("kws", "qemu-m3"), ("ad", "qemu-m3")),
        *(("kws", "qemu-m7"), ("ad", "qemu-m7")),
    ]


def test_a_network_that_is_none_is_refused_by_name():
    with pytest.raises(ConfigError, match="no network 'digits'"):
        cases("kws,digits", None)


@pytest.mark.parametrize("network", NETWORKS)
def test_published_layers_have_all_of_a_networks_macs(network):
    """And their instructions are the network's, but for what multiplies nothing."""
    rows = published()["per_layer"]["layers"][network]

    assert sum(row["macs"] for row in rows) == published()["macs"][network]
    for core in ("m3", "m4", "m55"):
        layers = sum(row["executorch_cmsis_nn"][core] for row in rows)
        whole = published_instructions(network, f"cortex-{core}")
        assert whole is not None and 0.8 * whole < layers < 1.001 * whole


def test_a_call_is_held_against_the_layers_it_does():
    first, depthwise, pointwise = 320_000, 72_000, 512_000

    apart = published_calls("kws", "cortex-m4", [first, 0, depthwise, pointwise])
    fused = published_calls("kws", "cortex-m4", [first, depthwise + pointwise])

    assert apart == [1_711_120, None, 600_160, 1_069_480]
    assert fused == [1_711_120, 600_160 + 1_069_480]
    assert published_calls("kws", "cortex-m33", [first]) == [None]
    assert published_calls("kws", "cortex-m4", [7]) == [None]


def test_goals_are_met_or_not():
    found = judged(
        [
            cell("kws", "cortex-m4", instructions=2_400_000, ram_bytes=22_001),
            cell("kws", "cortex-m55", instructions=640_001, estimated_cycles=None),
            {"network": "vww", "cpu": "cortex-m4", "level": "balanced", "fits": False},
        ]
    )

    met = {(goal["cpu"], goal["figure"]): goal["met"] for goal in found}
    assert met == {
        ("cortex-m4", "instructions"): True,
        ("cortex-m4", "estimated_cycles"): True,
        ("cortex-m4", "ram_bytes"): False,
        ("cortex-m4", "engine_bytes"): True,
        ("cortex-m55", "instructions"): False,
    }


def test_a_goal_may_be_a_part_of_what_was_before():
    before = goals()["before"]["instructions"]["cortex-m0plus"]["ad"]

    (found,) = judged([cell("ad", "cortex-m0plus", instructions=before // 2)])

    assert found["goal"] == round(0.35 * before)
    assert not found["met"]


def test_the_page_has_figures_goals_layers_and_what_does_not_fit():
    misfit = {
        **{"network": "vww", "board": "microbit", "cpu": "cortex-m0", "level": "balanced"},
        **{"fits": False, "reason": "needs 100 KB, has 16 KB"},
    }

    described = document(misfit, cell("kws", "cortex-m4"))
    page = performance_page(described)

    assert "vww does not fit microbit: needs 100 KB, has 16 KB." in page
    assert "| qemu-m4 | kws | balanced | 2,000,000 | 3,000,000 | 1.33 | 8,457,360 | 0.24 |" in page
    assert "## Goals: 4 of 4 met" in page
    assert "| conv | `cortex_m::quantized_conv2d` | `conv` | 512,000 | 400,000 | 1.28 |" in page
    assert "kws on cortex-m4 2,900,000 to 3,100,000" in page
    assert "X-CUBE-AI 9, L4R5 | 5,180,000 | 3,000,000 | 0.58 |" in page
    assert "**Not measured in this run:** kws on qemu-m0, vww on qemu-m0," in page
    assert "{" not in page
    assert "how far it could go" not in page
    assert "## Goals: 4 of 4 met" in summary(described)


def test_the_page_says_why_a_goal_is_not_met():
    page = performance_page(document(cell("kws", "cortex-m4", estimated_cycles=4_000_000)))

    assert "estimated cycles | kws | 3,900,000 | 4,000,000 | 1.03 | **not met**" in page
    assert "how far it could go:\n\n- Cortex-M4, estimated cycles: " in page


@pytest.mark.parametrize(
    "arguments, message",
    [
        (["--suite", "--io", "float"], "--io does not go with it"),
        (["--suite", "--runs", "3"], "--runs does not go with it"),
        (["--suite", "--board", "qemu-m5"], "unknown board 'qemu-m5'"),
        (["--markdown", "report.md"], "--markdown goes with --suite"),
    ],
)
def test_options_that_mean_nothing_to_the_suite_are_refused(mcugen, arguments, message):
    assert message in mcugen("bench", *arguments, exit_code=2).stderr
