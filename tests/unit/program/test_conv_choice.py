# SPDX-License-Identifier: BSD-3-Clause
"""Which convolutions are prepared ahead of time, and how much a program may grow by that."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from mcugen.boards.load import load_board
from mcugen.program.artifact import PteArtifact
from mcugen.program.conv_words import ConvForm
from mcugen.program.level import Level
from mcugen.program.packing import conv_costs
from mcugen.program.packing.conv import Choice, Room, choose
from mcugen.program.planning.fit import arrange_for, room_for
from mcugen.program.read import read_pte
from mcugen.program.window import Window

GOLDEN = Path(__file__).parents[2] / "golden" / "mlperf_tiny"
PACKED = ("mcugen::packed_conv2d.out", "mcugen::packed_conv_depthwise.out")
PAIRS, WINOGRAD = ConvForm.PAIRS, ConvForm.WINOGRAD_2


def network(name: str) -> PteArtifact:
    return read_pte((GOLDEN / f"{name}_cm_q_m4.pte").read_bytes(), name=name)


def packed(artifact: PteArtifact) -> int:
    return sum(use.calls for use in artifact.operators if use.name in PACKED)


@pytest.mark.parametrize("name", ["kws", "vww", "ic"])
def test_balanced_grows_by_a_tenth_or_with_transformed_weights_by_40_kb(name):
    before, board = network(name), load_board("qemu-m4")

    after = arrange_for(before, board)

    most = 40_000 if name == "ic" else len(before.pte) // 10
    assert 0 < len(after.pte) - len(before.pte) <= most
    assert 0 < packed(after) < packed(arrange_for(before, board, Level.SPEED))
    # RAM is that of a program whose weights are laid out at run time.
    size = arrange_for(before, replace(board, isa=board.isa), Level.SIZE)
    assert packed(size) == 0
    assert len(size.pte) < len(after.pte)


def test_flash_with_wait_states_is_not_read_again_and_again():
    """Each pair of pixels reads all the weights of a pair of channels."""
    board = load_board("nucleo")

    assert room_for(network("kws"), board, Level.BALANCED)[2:] == (16, 5)
    assert all(packed(arrange_for(network("kws"), board, level)) == 0 for level in Level)


def test_a_program_grows_by_no_more_than_the_flash_has():
    before, board = network("vww"), load_board("qemu-m4")
    code = next(each for each in board.regions if "model" in each.roles)
    small = replace(code, size_bytes=340_000)
    tight = replace(board, regions=tuple(small if e is code else e for e in board.regions))
    room = room_for(before, tight, Level.SPEED)

    after = arrange_for(before, tight, Level.SPEED)

    assert room.by == room.by_transformed < 60_000
    assert 0 < len(after.pte) - len(before.pte) <= room.by


def choices(*layers: list[tuple[ConvForm, int, float]]) -> list[list[Choice]]:
    return [[Choice(n, *each) for each in layer] for n, layer in enumerate(layers)]


@pytest.mark.parametrize(
    ("room", "chosen"),
    [
        (Room(0, 0), set()),
        (Room(10_000, 10_000), {(0, PAIRS), (1, PAIRS)}),
        (Room(5_000, 5_000), {(1, PAIRS)}),
        # A form of its own room.
        (Room(5_000, 25_000), {(0, WINOGRAD), (1, PAIRS)}),
        (Room(0, 20_000), {(0, WINOGRAD)}),
        (Room(1 << 20, 1 << 20), {(0, WINOGRAD), (1, PAIRS)}),
    ],
)
def test_layers_are_chosen_for_what_they_save(room, chosen):
    layers = choices(
        [(PAIRS, 4_000, 9_000.0), (WINOGRAD, 20_000, 90_000.0)], [(PAIRS, 5_000, 10_000.0)]
    )

    assert {(each.layer, each.form) for each in choose(layers, room)} == chosen


#: 3x3, stride 1, 16 channels to 16 over 32 x 32 pixels.
LAYER = Window(1, *(32, 32, 16), *(32, 32, 16), *(3, 3, 1), *(1, 1), *(1, 1), *(1, 1))


def test_more_memory_to_work_in_leaves_less_to_save():
    costs = [conv_costs.unpacked(LAYER, scratch) for scratch in (4_000, 12_000, 40_000)]
    ahead = conv_costs.packed(LAYER, WINOGRAD, conv_costs.Flash())

    assert costs == sorted(costs, reverse=True)
    assert ahead < costs[-1]
    assert ahead < conv_costs.packed(LAYER, PAIRS, conv_costs.Flash())
    assert conv_costs.packed(LAYER, WINOGRAD, conv_costs.Flash(16, 5)) > costs[1]
