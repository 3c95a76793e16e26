# SPDX-License-Identifier: BSD-3-Clause
"""A model's operators: as traced, the nodes that stand for them, the calls they end up as.

No torch.
"""

from __future__ import annotations

from dataclasses import dataclass

from mcugen.export.provenance import place


@dataclass(frozen=True)
class TracedOperator:
    """One operator that the user's code calls."""

    name: str  #: of its node: unique
    operator: str  #: "aten.conv2d"
    layer: str  #: the model's module, "body.4"; "" for its own forward
    line: str | None  #: of the user's source: "net.py, line 12"
    producers: tuple[str, ...]  #: names of the operators that its arguments come from
    varies: bool  #: whether it depends on an input; else it is computed when the program is made
    used: bool = True  #: whether what the model returns may depend on it


@dataclass(frozen=True)
class CapturedNode:
    """A node of the graph that is quantized."""

    name: str
    target: str  #: "aten.conv2d.default"
    origin: str  #: name of the TracedOperator that it was made of; "" for none


@dataclass(frozen=True)
class OperatorReport:
    """One operator call of the final program."""

    operator: str  #: "cortex_m::quantized_conv2d.out"
    layer: str  #: the model's module it comes from, "body.4"; "" for the model's own forward
    source: str  #: operator of the traced model, "aten.elu"; "" for what lowering put in
    int8: bool
    reason: str | None  #: why it is float
    node: str = ""  #: node of the quantized graph that it comes from; "" for what lowering put in
    line: str | None = None  #: of the user's source: "net.py, line 12"

    @property
    def where(self) -> str:
        """Return "layer body.4 (net.py, line 12)"."""
        return place(self.layer, self.line)
