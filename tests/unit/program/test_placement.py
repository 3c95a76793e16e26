# SPDX-License-Identifier: BSD-3-Clause
"""Which memory a role's bytes go to, where a board has several."""

from __future__ import annotations

import dataclasses

import pytest
from sample_project import sample_artifact

from mcugen.base.errors import DoesNotFitError
from mcugen.boards.load import list_boards, load_board
from mcugen.boards.spec import MOVABLE_ROLES, ROLES
from mcugen.program.artifact import PteArtifact
from mcugen.program.memory import plan_memory
from mcugen.program.placement import place
from mcugen.project.linker import linker_context, runner_linker_context

BOARD = load_board("nucleo_h743zi2")  # 128 KiB of DTCM, 512 KiB of AXI SRAM
SIZES = {"code": 1000, "model": 1000, "data": 4096, "stack": 2048, "method": 4096, "temp": 0}


def planned(nbytes: int) -> PteArtifact:
    return dataclasses.replace(sample_artifact(), operators=(), planned_buffers=(nbytes,))


def where(**sizes: int) -> dict[str, str]:
    return {p.role: p.region.name for p in place({**SIZES, "io": 1024, **sizes}, BOARD)}


def test_the_fastest_memory_that_has_room_is_taken() -> None:
    assert {where(planned=100_000)[role] for role in MOVABLE_ROLES} == {"dtcm"}


def test_what_does_not_fit_lies_in_the_next_and_the_rest_stays() -> None:
    found = where(planned=125_000)

    assert found["planned"] == "axi_sram"
    assert {found[role] for role in ("stack", "data", "temp", "method", "io")} == {"dtcm"}


def test_activations_come_before_inputs() -> None:
    found = where(planned=100_000, io=40_000)

    assert (found["planned"], found["io"]) == ("dtcm", "axi_sram")


def test_the_reason_names_what_was_left() -> None:
    placements = {p.role: p for p in place({**SIZES, "io": 1024, "planned": 125_000}, BOARD)}
    left = 128 * 1024 - SIZES["data"] - SIZES["stack"]

    assert placements["planned"].why == f"dtcm has {left:,} B left"
    assert placements["io"].why == "the fastest memory it may lie in"
    assert placements["stack"].why is None


def test_too_much_for_each_is_refused_with_the_larger() -> None:
    with pytest.raises(DoesNotFitError) as caught:
        plan_memory(planned(600_000), BOARD)

    assert "region 'axi_sram' of nucleo_h743zi2 has 524,288 B" in caught.value.message


def test_the_linker_script_has_sections_where_the_plan_says() -> None:
    artifact = planned(300_000)
    plan = plan_memory(artifact, BOARD)
    sections = {s.kind: s.region for s in linker_context(plan, BOARD).ram_sections}

    assert sections[".planned_memory"] == "axi_sram"
    assert {sections[kind] for kind in ("stack", "data", ".io_pool")} == {"dtcm"}


def test_a_runners_arena_is_the_largest_memory() -> None:
    sections = {s.kind: s.region for s in runner_linker_context(BOARD, 4096).ram_sections}

    assert sections == {"stack": "dtcm", "data": "dtcm", ".model_arena": "axi_sram"}


@pytest.mark.parametrize("board", list_boards(), ids=lambda b: b.id)
def test_every_role_is_placed_in_a_region_of_its_own(board) -> None:
    placements = place({role: 16 for role in ROLES}, board)

    assert sorted(p.role for p in placements) == sorted(ROLES)
    assert all(p.role in p.region.roles for p in placements)
