# SPDX-License-Identifier: BSD-3-Clause
"""How far a `.pte` is from the PyTorch model it was made from: figures, words, and when to refuse.

Measured by `mcugen.export.compare`; kept with the artifact. No torch.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import Any

from mcugen.base.errors import LoweringError

#: Refused below: the error is then a third of the signal, and int8 alone costs much less.
REFUSED_DB = 10.0
#: A warning below: the error is a tenth of the signal. Healthy int8 models are at 30 to 60 dB.
POOR_DB = 20.0
#: A warning below, where there are samples enough to tell.
POOR_TOP_CLASS = 0.9
_TELLING_SAMPLES = 10


@dataclass(frozen=True)
class Column:
    """One column of an output that has few: an element, a feature or a channel."""

    sqnr_db: float | None  #: None: no error at all, or nothing but zeros in float
    max_error: float  #: in the output's own units


@dataclass(frozen=True)
class OutputFidelity:
    """One output beside the float model's."""

    name: str
    sqnr_db: float | None  #: None: no error at all, or nothing but zeros in float
    quantized_sqnr_db: float | None  #: the same of the quantized graph, before lowering
    max_error: float  #: in the output's own units
    top_class: float | None  #: share of samples with the same largest value; None: no classes
    at_limits: float | None  #: share of int8 values at -128 or 127; None: not int8
    columns: tuple[Column, ...]


@dataclass(frozen=True)
class InputFidelity:
    """What quantizing does to one input."""

    name: str
    at_limits: float | None  #: share of int8 values at -128 or 127; None: not int8
    clipped: float | None  #: share of values that int8 cannot reach


@dataclass(frozen=True)
class Fidelity:
    """A `.pte` beside the model in float, over some calibration samples."""

    samples: int
    data: str | None  #: where the samples come from
    outputs: tuple[OutputFidelity, ...]
    inputs: tuple[InputFidelity, ...]
    causes: tuple[str, ...]  #: what is likely to cost accuracy, worst first
    reason: str | None = None  #: why there is no float model to compare with

    @property
    def worst(self) -> OutputFidelity | None:
        """The output with the lowest figure; None if none has one."""
        rated = [output for output in self.outputs if output.sqnr_db is not None]
        return min(rated, key=lambda output: output.sqnr_db or 0.0, default=None)

    @property
    def summary(self) -> str:
        """One line."""
        if self.reason is not None or not self.outputs:
            return "not compared with a model" + (f": {self.reason}" if self.reason else "")
        worst = self.worst
        if worst is None:
            error = max(output.max_error for output in self.outputs)
            figure = "equal" if error == 0 else f"largest error {error:.3g}"
        else:
            figure = f"{worst.sqnr_db:.1f} dB"
            if len(self.outputs) > 1:
                figure += f" ({worst.name}, the worst of {len(self.outputs)})"
        shares = [output.top_class for output in self.outputs if output.top_class is not None]
        classes = f", top class {100 * min(shares):.0f} %" if shares else ""
        return f"against your model in float: {figure}{classes}"

    @property
    def warning(self) -> str | None:
        """What to tell the user, None for a good one."""
        if not self.poor:
            # A cause may stay without effect on samples of its own making: one class only, say.
            return "; ".join(self.causes) or None
        likely = "; ".join(self.causes) or "the ranges: calibrate with data like that of later use"
        return f"{self.summary}. Likely cause: {likely}"

    @property
    def poor(self) -> bool:
        """Whether the figures are worse than int8 has to be."""
        if self.worst is not None and (self.worst.sqnr_db or 0.0) < POOR_DB:
            return True
        shares = [output.top_class for output in self.outputs if output.top_class is not None]
        return self.samples >= _TELLING_SAMPLES and min(shares, default=1.0) < POOR_TOP_CLASS

    def blaming(self, layers: str | None) -> Fidelity:
        """Return the same with the layers that cost most among the causes, if it is poor."""
        if layers is None or not self.poor:
            return self
        return replace(self, causes=(*self.causes, layers))

    def refuse_loss(self, model: str) -> None:
        """Raise LoweringError if an output has next to nothing to do with the float model's."""
        worst = self.worst
        if worst is None or worst.sqnr_db is None or worst.sqnr_db >= REFUSED_DB:
            return
        likely = "; ".join(self.causes)
        raise LoweringError(
            f"{model}: {self.summary} ({worst.name}, {self.samples} samples of {self.data}); "
            f"below {REFUSED_DB:g} dB it is another model"
            + (f"\nLikely cause: {likely}" if likely else ""),
            hint=("" if likely else "Calibrate with data like that of later use. ")
            + "--accept-loss builds it all the same; mcugen inspect shows each output.",
        )

    def to_json(self) -> dict[str, Any]:
        """Return JSON-able values."""
        return {"summary": self.summary, **asdict(self)}

    @classmethod
    def from_json(cls, document: dict[str, Any]) -> Fidelity:
        """Rebuild what `to_json` gave."""
        values = {key: value for key, value in document.items() if key != "summary"}
        values["outputs"] = tuple(
            OutputFidelity(
                **{**output, "columns": tuple(Column(**column) for column in output["columns"])}
            )
            for output in document["outputs"]
        )
        values["inputs"] = tuple(InputFidelity(**each) for each in document["inputs"])
        values["causes"] = tuple(document["causes"])
        return cls(**values)


def not_compared(reason: str | None = None) -> Fidelity:
    """Return what stands for a program without a model to compare it with."""
    return Fidelity(0, None, (), (), (), reason)
