# SPDX-License-Identifier: BSD-3-Clause
"""Quantize and export each case of the executorch suite once, not once for each CPU.

Nine tenths of a case's time go into the stages before the Cortex-M passes, and none of these looks
at the CPU. A stage that the same case ran for another CPU, on the same module and equal inputs,
gets a copy of that result.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import Any

import torch
from executorch.backends.test.harness.stages import Export, Quantize, Stage, ToEdge
from torch.utils._pytree import tree_flatten


@dataclass(frozen=True)
class _Kept:
    stage: type[Stage]
    source: object  #: what the stage ran on: the case's own object, or the number of a stage
    inputs: object
    result: object

    def is_of(self, stage: type[Stage], source: object, inputs: object) -> bool:
        same = (isinstance(source, int) and source == self.source) or source is self.source
        return stage is self.stage and same and _equal(inputs, self.inputs)


class LowerOnce:
    """Keeps the stages' results of one case."""

    def __init__(self) -> None:
        self._case = ""
        self._kept: dict[int, _Kept] = {}  #: by the stage's number within its case
        self._made: list[tuple[object, int]] = []  #: results handed out, and their stage's number
        self._next = 0

    def install(self) -> None:
        """Put this between the stages and those that run them, for the life of the process."""
        self._share(Quantize, "converted_graph")
        self._share(Export, "exported_program")
        self._share(ToEdge, "edge_dialect_program")

    def start(self, case: str) -> None:
        """Begin a run of `case`; what other cases left is dropped."""
        if case != self._case:
            self._kept.clear()
        self._case = case
        self._made.clear()
        self._next = 0

    def _share(self, stage_class: type[Stage], attribute: str) -> None:
        run = stage_class.run
        keeper = self

        def run_once(self: Stage, artifact: object, inputs: object = None) -> None:
            number, keeper._next = keeper._next, keeper._next + 1
            source = next((n for made, n in keeper._made if made is artifact), artifact)
            kept = keeper._kept.get(number)
            if kept is not None and kept.is_of(type(self), source, inputs):
                setattr(self, attribute, copy.deepcopy(kept.result))
            else:
                # What later stages made is of another program now.
                keeper._kept = {n: kept for n, kept in keeper._kept.items() if n < number}
                run(self, artifact, inputs)
                # Later stages and the comparison write into what they are given.
                result = copy.deepcopy(getattr(self, attribute))
                keeper._kept[number] = _Kept(type(self), source, inputs, result)
            keeper._made.append((getattr(self, attribute), number))

        stage_class.run = run_once


def _equal(left: object, right: object) -> bool:
    lefts, left_tree = tree_flatten(left)
    rights, right_tree = tree_flatten(right)
    return left_tree == right_tree and all(map(_same_value, lefts, rights))


def _same_value(left: Any, right: Any) -> bool:
    if not (isinstance(left, torch.Tensor) and isinstance(right, torch.Tensor)):
        return type(left) is type(right) and left == right
    same_type = (left.dtype, left.shape, left.stride()) == (
        right.dtype,
        right.shape,
        right.stride(),
    )
    return same_type and torch.equal(left, right)
