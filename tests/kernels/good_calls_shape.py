# SPDX-License-Identifier: BSD-3-Clause
"""A good call of each operator of firmware/ops/table/shape.toml; see test_bad_arguments.py."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

#: Operator → its arguments, those written to included.
CALLS: dict[str, Callable[[], list[Any]]] = {}

#: (operator, position) → whether a value that is wrong as a rule is right there.
ALLOWED: dict[tuple[str, int], Callable[[Any], bool]] = {}
