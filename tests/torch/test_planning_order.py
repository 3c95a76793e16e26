# SPDX-License-Identifier: BSD-3-Clause
"""Calls that change places so that others have more memory to work in."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest
from mlperf_tiny_vectors import golden_pte

from mcugen.boards.spec import Isa
from mcugen.program.container import deserialize, find_method
from mcugen.program.planning.arrange import Passes, arrange, arrange_plan
from mcugen.program.planning.lifetimes import find_blocks
from mcugen.program.planning.order import reorder
from mcugen.program.read import read_pte
from mcugen.program.state import reads_and_writes
from mcugen.program.values import call_name, instructions

NETS = sorted((Path(__file__).parents[1] / "golden" / "nets").glob("*.pte"))


def plan_of(path: Path):
    return find_method(deserialize(path.read_bytes(), name="x").program, name="x")


def test_skips_of_ic_come_before_the_second_convolutions_of_their_blocks():
    """They halve what they read, and those transform weights once more for each row they lack."""
    before = read_pte(golden_pte("ic", "int8", "m4"), name="ic")
    names = tuple(f"{i}" for i in range(sum(use.calls for use in before.operators)))

    after = arrange(before, Passes(Isa.DSP))

    assert after.planned is not None
    layers = after.planned.layers(names)
    moved = [(a, b) for a, b in pairwise(layers) if int(a) > int(b)]
    assert len(moved) == 2 and all(int(a) == int(b) + 1 for a, b in moved)
    assert sorted(layers, key=int) == sorted(set(layers), key=int)
    assert sum(after.planned_buffers) <= sum(before.planned_buffers)
    # Elsewhere they stay where they are.
    assert arrange(before).planned.order == ()


@pytest.mark.parametrize("path", NETS, ids=lambda path: path.stem)
def test_each_call_stays_behind_those_it_needs(path):
    plan = plan_of(path)
    calls = instructions(plan)
    blocks = find_blocks(plan)
    assert blocks is not None  # a straight sequence of calls, as all of these are
    place = {i: n for n, block in enumerate(blocks) for i in block.members}
    touched = []
    for call in calls:
        reads, writes = (
            {place.get(i) for i in each} - {None} for each in reads_and_writes(plan, call)
        )
        touched.append((reads, writes))

    order = reorder(plan)

    assert sorted(order) == list(range(len(calls)))
    assert [id(each) for each in instructions(plan)] == [id(calls[i]) for i in order]
    for at, one in enumerate(order):
        for other in order[at + 1 :]:
            if other < one:
                assert not touched[one][1] & (touched[other][0] | touched[other][1])
                assert not touched[other][1] & touched[one][0]
    assert find_blocks(plan) is not None
    arrange_plan(plan, Passes(Isa.DSP))
    assert {call_name(plan, each) for each in instructions(plan)}
