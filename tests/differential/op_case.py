# SPDX-License-Identifier: BSD-3-Clause
"""One call of one operator, as the streams `cases_*.py` describe it.

Outside pytest: PYTHONPATH=tests/kernels:tests/differential.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from op_host import T

__all__ = ["OpCase", "Out", "T"]


@dataclass(frozen=True)
class Out:
    """A tensor the operator writes, or the elements of a TensorList it writes."""

    dtype: str  #: as numpy names it: "float32"
    shape: tuple[int, ...] | None = None  #: None: found by running torch's operator
    order: tuple[int, ...] | None = None  #: dim order; None: contiguous


@dataclass(frozen=True)
class OpCase:
    """A call that must succeed."""

    op: str  #: "aten::add.out"
    #: The schema's arguments without those written to, in order: T for a tensor, a list of T for a
    #: TensorList, list[int], None, bool, int, float.
    args: tuple[Any, ...]
    outs: tuple[Out, ...]  #: of all that are written; `scratch` is not compared
    ulp: int = 0  #: by how many floats a result may differ from the reference
    atol: float = 0.0  #: or by how much; what is inside either is right
    note: str = ""
