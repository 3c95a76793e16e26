# SPDX-License-Identifier: BSD-3-Clause
"""What each operator of a model became, and why one stayed float."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from mcugen.base.errors import LoweringError
from mcugen.export.fidelity import Fidelity, not_compared
from mcugen.export.provenance import place

if TYPE_CHECKING:
    from mcugen.model.preprocess import Declared

IO_KINDS = ("int8", "float")


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


@dataclass(frozen=True)
class LoweringReport:
    """Every operator of the final program, and how the ranges were found."""

    model: str
    cpu: str | None  #: None for a `.pte` file
    isa: str | None
    io: str | None
    operators: tuple[OperatorReport, ...]
    calibration: str | None
    calibration_samples: int
    calibration_random: bool
    channels_last: bool  #: 4-D inputs and weights were put in NHWC order before tracing
    notes: tuple[str, ...] = ()  #: what was done to the model that its author may not expect
    warnings: tuple[str, ...] = ()  #: what makes calibration data look unlike the model's inputs
    preprocess: Declared = None  #: of stored samples
    fidelity: Fidelity = field(default_factory=not_compared)  #: to the model in float

    @property
    def fallbacks(self) -> tuple[OperatorReport, ...]:
        """The operators that run in float."""
        return tuple(line for line in self.operators if not line.int8)

    def to_json(self) -> dict[str, Any]:
        """Return JSON-able values: all but the fidelity, which has a document of its own."""
        document = asdict(self)
        del document["fidelity"]
        return document

    @classmethod
    def from_json(cls, document: dict[str, Any]) -> LoweringReport:
        """Rebuild what `to_json` gave."""
        operators = tuple(OperatorReport(**line) for line in document["operators"])
        texts = {name: tuple(document[name]) for name in ("notes", "warnings")}
        return cls(**{**document, "operators": operators, **texts})

    def refuse_fallbacks(self) -> None:
        """Raise LoweringError listing every float fallback, if there is one (`--strict`)."""
        if not self.fallbacks:
            return
        lines = [f"{line.operator} from {line.where}: {line.reason}" for line in self.fallbacks]
        what = "1 operator falls" if len(lines) == 1 else f"{len(lines)} operators fall"
        raise LoweringError(
            f"{self.model}: {what} back to float:\n  " + "\n  ".join(lines),
            hint="Replace these layers by ones with int8 operators, or build without --strict.",
        )
