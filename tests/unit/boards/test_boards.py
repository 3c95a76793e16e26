# SPDX-License-Identifier: BSD-3-Clause
"""Board files: the real ones load, and each rule refuses its broken sample."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from mcugen.base.errors import ConfigError
from mcugen.base.resources import boards_dir, firmware_dir
from mcugen.boards.load import list_boards, load_board
from mcugen.boards.parse import parse_board
from mcugen.boards.spec import MOVABLE_ROLES, ROLES, Isa, MemoryKind
from mcugen.flow.results.document import read_result
from mcugen.project.copied import bsp_sources

SAMPLES = Path(__file__).parents[1] / "samples" / "boards"


@pytest.mark.parametrize("path", sorted(SAMPLES.glob("invalid_*.toml")), ids=lambda p: p.stem)
def test_refuses_broken_sample(path: Path) -> None:
    """Each sample says in its second line what the message must contain."""
    expected = path.read_text().splitlines()[1].removeprefix("# expect: ")

    with pytest.raises(ConfigError) as caught:
        parse_board(path)

    assert expected in caught.value.message
    assert f"boards/{path.name}" in caught.value.message


def test_every_board_file_loads() -> None:
    boards = list_boards()

    assert [b.id for b in boards] == sorted(p.stem for p in boards_dir().glob("*.toml"))
    assert [b.id for b in boards if b.simulated_only] == [
        *("qemu-m0", "qemu-m3", "qemu-m33", "qemu-m4", "qemu-m55", "qemu-m7")
    ]
    assert load_board("nucleo_f446re") in boards


@pytest.mark.parametrize("board", list_boards(), ids=lambda b: b.id)
def test_every_role_has_one_region_and_what_can_move_one_at_least(board) -> None:
    for role, kind in ROLES.items():
        regions = board.regions_for(role)
        assert regions[0] == board.region_for(role)
        assert len(regions) == 1 or role in MOVABLE_ROLES
        assert {region.kind for region in regions} == {kind}


@pytest.mark.parametrize("board", list_boards(), ids=lambda b: b.id)
def test_the_arena_is_memory_of_its_own_or_that_of_the_plan(board) -> None:
    assert board.arena_region.kind is MemoryKind.RAM
    assert (board.arena is None) == (board.arena_region in board.regions)
    assert (board.arena is None) == (not board.simulated_only)


@pytest.mark.parametrize("board", list_boards(), ids=lambda b: b.id)
def test_gives_every_macro_its_family_asks_for(board) -> None:
    """READMEs are the contract: the family's, and those of what it includes.

    A macro missing here fails only in the compiler.
    """
    folders = {Path(name).parent for name in bsp_sources(board.bsp)} - {Path("bsp")}
    readme = "".join((firmware_dir() / path / "README.md").read_text() for path in folders)
    asked = set(re.findall(r"^\| `(MCUGEN_[A-Z0-9_]+)` \|", readme, re.MULTILINE))
    optional = set(re.findall(r"Optional: `(MCUGEN_[A-Z0-9_]+)`", readme))
    optional.add("MCUGEN_FLASH_STEP_HZ")  # follows from the memory that code is in

    assert asked
    assert {name for name, _ in board.defines} - optional == asked


def test_a_boot_loader_is_left_what_it_keeps() -> None:
    """Arduino's board leaves it the first 64 KiB of a part that nrf52840dk has whole."""
    whole = load_board("nrf52840dk").region_for("code")
    rest = load_board("arduino_nano33ble").region_for("code")

    assert (whole.start, whole.size_bytes) == (0, 1024 * 1024)
    assert (rest.start, rest.end) == (64 * 1024, whole.end)
    assert rest == load_board("arduino_nano33ble").region_for("model")


def test_flash_may_be_the_board_s() -> None:
    """Two boards with one part need not have the same."""
    pico, pico_2 = load_board("rpi_pico"), load_board("rpi_pico2")

    assert {role: pico.region_for(role).name for role in ("code", "model", "planned")} == {
        "code": "flash",
        "model": "flash",
        "planned": "sram",
    }
    assert pico.region_for("code").size_bytes == 2048 * 1024
    assert pico_2.region_for("code").size_bytes == 4096 * 1024


def test_nucleo_is_as_its_manuals_say() -> None:
    board = load_board("nucleo")

    assert board.id == "nucleo_f446re"
    assert (board.cpu, board.isa, board.clock_hz) == ("cortex-m4", Isa.DSP, 180_000_000)
    assert board.region_for("code").start == 0x0800_0000
    assert board.region_for("code").size_bytes == 512 * 1024
    assert board.region_for("stack").start == 0x2000_0000
    assert board.region_for("stack").size_bytes == 128 * 1024
    assert (board.console.uart, board.console.tx, board.console.rx) == ("USART2", "PA2", "PA3")
    assert board.probe is not None and (0x0483, 0x374B) in board.probe.usb_ids
    assert board.qemu is not None and board.qemu.serial_index == 1


def test_isa_defaults_to_the_most_the_cpu_has() -> None:
    assert {b: load_board(b).isa for b in ("qemu-m3", "qemu-m4", "qemu-m7", "qemu-m55")} == {
        "qemu-m3": Isa.SCALAR,
        "qemu-m4": Isa.DSP,
        "qemu-m7": Isa.DSP,
        "qemu-m55": Isa.MVE,
    }


def test_unknown_board_names_the_nearest() -> None:
    with pytest.raises(ConfigError) as caught:
        load_board("nucleo_f446er")

    assert "unknown board 'nucleo_f446er'" in caught.value.message
    assert caught.value.hint == "Did you mean 'nucleo_f446re'?"


def test_a_board_needs_one_file_only(tmp_path: Path) -> None:
    """A part of its own may stand in the board's file."""
    text = (boards_dir() / "qemu-m4.toml").read_text().replace('"qemu-m4"', '"mine"')
    (tmp_path / "mine.toml").write_text(text)

    assert parse_board(tmp_path / "mine.toml").region_for("model").name == "ssram1"


def boards_that_ran(results: Path) -> set[str]:
    """Return the boards of which a store of the rig's has a run on hardware that passed."""
    found = [read_result(each) for each in results.glob("*/*.json")]
    return {
        each.board
        for each in found
        if not each.simulated and each.outcome == "passed" and each.figures
    }


def test_no_board_says_hardware_without_a_stored_run(tmp_path: Path) -> None:
    for name, simulated in (("qemu", True), ("real", False)):
        (tmp_path / name).mkdir()
        result = {
            "schema": "mcugen.result/1",
            "device": {"id": "a", "simulated": simulated},
            "board": name,
            "model": {"name": "digits"},
            "firmware": {"id": "1"},
            "figures": {"cycles": 1},
            "run": "r",
            "commit": "c",
            "outcome": "passed",
        }
        (tmp_path / name / "a.json").write_text(json.dumps(result))
    said = {board.id for board in list_boards() if board.verified_level == "hardware"}

    assert boards_that_ran(tmp_path) == {"real"}
    assert said <= boards_that_ran(Path(__file__).parents[3] / "hil" / "results")
