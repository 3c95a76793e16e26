# SPDX-License-Identifier: BSD-3-Clause
"""Blocks in memory: never on top of each other, and as low as can be."""

from __future__ import annotations

import random
from itertools import combinations, permutations

import pytest

from mcugen.program.planning.placement import Interval, lower_bound, place


def blocks(seed: int, count: int) -> list[Interval]:
    rng = random.Random(seed)
    found = []
    for _ in range(count):
        first = rng.randrange(count)
        last = min(count, first + int(rng.expovariate(0.4)))
        found.append(Interval(16 * rng.randrange(0, 60), first, last))
    return found


def least(found: list[Interval]) -> int:
    """The best of all orders of putting each block at the lowest place that is free."""
    best = 1 << 30
    for order in permutations(found):
        placed: list[tuple[int, Interval]] = []
        for block in order:
            others = [(at, other) for at, other in placed if other.meets(block)]
            starts = sorted({0, *(at + other.size for at, other in others)})
            at = next(
                s for s in starts if all(s + block.size <= a or a + o.size <= s for a, o in others)
            )
            placed.append((at, block))
        best = min(best, max(at + block.size for at, block in placed))
    return best


@pytest.mark.parametrize("count", [0, 1, 2, 7, 30, 64, 65, 200])
@pytest.mark.parametrize("seed", range(4))
def test_no_two_blocks_share_a_byte_while_both_live(count: int, seed: int) -> None:
    found = blocks(seed, count)

    placement = place(found)

    for (a, at_a), (b, at_b) in combinations(zip(found, placement.offsets, strict=True), 2):
        assert not a.meets(b) or at_a + a.size <= at_b or at_b + b.size <= at_a
    ends = [at + block.size for at, block in zip(placement.offsets, found, strict=True)]
    assert placement.total == max(ends, default=0)
    assert placement.bound == lower_bound(found) <= placement.total
    assert all(offset % 16 == 0 for offset in placement.offsets)
    assert place(found) == placement


@pytest.mark.parametrize("seed", range(40))
def test_of_few_blocks_no_plan_is_better(seed: int) -> None:
    found = blocks(seed, 6)

    assert place(found).total == least(found)


@pytest.mark.parametrize("seed", [66, 76, 105, 161])
def test_search_finds_what_no_order_of_putting_down_does(seed: int) -> None:
    """Of 300 seeds these are among 8 where each of the orders leaves more than the bound."""
    found = blocks(seed, 14)

    assert place(found).total == place(found).bound


def test_the_bound_is_the_most_that_lives_at_one_time() -> None:
    assert lower_bound([Interval(16, 0, 1), Interval(32, 1, 2), Interval(64, 2, 2)]) == 96
    assert lower_bound([Interval(64, 0, 0), Interval(32, 1, 2)]) == 64
