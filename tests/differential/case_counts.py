# SPDX-License-Identifier: BSD-3-Clause
"""What the operator cases of a normal run cover, counted from the streams themselves. No torch."""

from __future__ import annotations

import itertools
from collections import Counter
from functools import cache

from harness import FAMILIES, stream
from op_case import OpCase, T

CASES = 2400  #: of a normal run, tests/conftest.py's default of --cases
#: How many times as many cases are looked through for operators and types not yet met.
LOOK_AHEAD = 10
#: Of 42 cases, how many are of which family.
SHARES = {
    **{"pointwise": 13, "shape": 10, "network": 8, "cortex_m": 6},
    **{"prim": 2, "norm": 1, "packed": 1, "recurrent": 1},
}


def cases_of(family: str, total: int) -> int:
    """Return how many of `total` cases are of a family."""
    return -(-total * SHARES[family] // sum(SHARES.values()))


@cache
def chosen(family: str, seed: int, total: int) -> tuple[tuple[int, OpCase], ...]:
    """Return the family's cases of a run of `total`, each with its index in the stream.

    First of all a case for each operator and element type, then the stream's first ones.
    """
    count = cases_of(family, total)
    seen: set[tuple[str, str]] = set()
    new: list[tuple[int, OpCase]] = []
    others: list[tuple[int, OpCase]] = []
    ahead = max(count, min(LOOK_AHEAD * count, LOOK_AHEAD * CASES))
    for index, case in enumerate(itertools.islice(stream(family, seed), ahead)):
        pairs = {(case.op, dtype) for dtype in _dtypes(case)}
        if not pairs <= seen:
            seen |= pairs
            new.append((index, case))
        elif len(others) < count:
            others.append((index, case))
    return tuple(sorted([*new, *others][:count], key=lambda numbered: numbered[0]))


@cache
def counted() -> dict[str, Counter[str]]:
    """Return operator → element type → cases in a normal run that use it; "" counts all cases."""
    counts: dict[str, Counter[str]] = {}
    for family in FAMILIES:
        for _, case in chosen(family, 0, CASES):
            counter = counts.setdefault(case.op, Counter())
            counter[""] += 1
            counter.update(_dtypes(case))
    return counts


#: Numbers by the element type they would have.
_NUMBERS = {bool: "bool", int: "int64", float: "float64"}


def _dtypes(case: OpCase) -> set[str]:
    found = {out.dtype for out in case.outs}
    for argument in case.args:
        for each in argument if isinstance(argument, list | tuple) else [argument]:
            if isinstance(each, T):
                found.add(each.array.dtype.name)
            elif case.op.startswith("executorch_prim::") and type(each) in _NUMBERS:
                found.add(_NUMBERS[type(each)])
    return found
