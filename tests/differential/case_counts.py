# SPDX-License-Identifier: BSD-3-Clause
"""What the operator cases of a normal run cover, counted from the streams themselves. No torch."""

from __future__ import annotations

import itertools
from collections import Counter
from functools import cache

from harness import FAMILIES, stream
from op_case import OpCase, T

CASES = 2400  #: of a normal run, tests/conftest.py's default of --cases
#: Of 20 cases, how many are of which family.
SHARES = {"pointwise": 7, "shape": 5, "network": 4, "cortex_m": 3, "prim": 1}


def cases_of(family: str, total: int) -> int:
    """Return how many of `total` cases are of a family."""
    return -(-total * SHARES[family] // sum(SHARES.values()))


@cache
def counted() -> dict[str, Counter[str]]:
    """Return operator → element type → cases in a normal run that use it; "" counts all cases."""
    counts: dict[str, Counter[str]] = {}
    for family in FAMILIES:
        for case in itertools.islice(stream(family, 0), cases_of(family, CASES)):
            counter = counts.setdefault(case.op, Counter())
            counter[""] += 1
            counter.update(_dtypes(case))
    return counts


def _dtypes(case: OpCase) -> set[str]:
    found = {out.dtype for out in case.outs}
    for argument in case.args:
        for each in argument if isinstance(argument, list | tuple) else [argument]:
            if isinstance(each, T):
                found.add(each.array.dtype.name)
    return found
