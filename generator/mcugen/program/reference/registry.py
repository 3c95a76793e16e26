# SPDX-License-Identifier: BSD-3-Clause
"""Which operators have a function of their own here, and which."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Compute = Callable[..., Any]

#: Operator without its overload to what computes it: it takes the schema's arguments without `out`.
COMPUTED: dict[str, Compute] = {}


def computes(name: str) -> Callable[[Compute], Compute]:
    """Return a decorator that makes a function the one that computes operator `name`."""

    def add(function: Compute) -> Compute:
        COMPUTED[name] = function
        return function

    return add
