# SPDX-License-Identifier: BSD-3-Clause
"""What each operator of a model became, and why one stayed float."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from mcugen.base.errors import LoweringError
from mcugen.export.fidelity import Fidelity, not_compared
from mcugen.export.layer_report import QuantizationReport
from mcugen.export.model_operators import ModelOperator
from mcugen.export.operators_traced import OperatorReport
from mcugen.model.source import Change

__all__ = ["IO_KINDS", "LoweringReport", "OperatorReport"]

if TYPE_CHECKING:
    from mcugen.model.preprocess import Declared

IO_KINDS = ("int8", "float")


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
    model_operators: tuple[ModelOperator, ...] = ()  #: of the user's model; () of a `.pte` file
    changes: tuple[Change, ...] = ()  #: to the user's model, its function being the same
    calibration_sha256: str | None = None  #: of all samples' bytes, in order; None: no samples
    #: The user's files that it was made of, by absolute path, and their sha256.
    dependencies: dict[str, str] = field(default_factory=dict)
    fidelity: Fidelity = field(default_factory=not_compared)  #: to the model in float
    quantization: QuantizationReport = field(default_factory=QuantizationReport)

    @property
    def fallbacks(self) -> tuple[OperatorReport, ...]:
        """The operators that run in float."""
        return tuple(line for line in self.operators if not line.int8)

    def to_json(self) -> dict[str, Any]:
        """Return JSON-able values: all but what is written apart."""
        document = asdict(self)
        del document["fidelity"], document["quantization"], document["dependencies"]
        return document

    @classmethod
    def from_json(cls, document: dict[str, Any]) -> LoweringReport:
        """Rebuild what `to_json` gave."""
        return cls(
            **{
                **document,
                "operators": tuple(OperatorReport(**line) for line in document["operators"]),
                "notes": tuple(document["notes"]),
                "warnings": tuple(document["warnings"]),
                "model_operators": tuple(
                    ModelOperator.from_json(each) for each in document["model_operators"]
                ),
                "changes": tuple(Change(**each) for each in document["changes"]),
            }
        )

    def refuse_fallbacks(self) -> None:
        """Raise LoweringError listing every float fallback, if there is one (`--strict`)."""
        if not self.fallbacks:
            return
        lines = [f"{line.operator} from {line.where}: {line.reason}" for line in self.fallbacks]
        what = "1 operator falls" if len(lines) == 1 else f"{len(lines)} operators fall"
        advised = [
            f"{each.operator}: {each.advice}" for each in self.model_operators if each.advice
        ]
        raise LoweringError(
            f"{self.model}: {what} back to float:\n  " + "\n  ".join(lines),
            hint="\n".join(
                [*dict.fromkeys(advised)]
                or ["Replace these layers by ones with int8 operators, or build without --strict."]
            ),
        )
