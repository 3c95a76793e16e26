# SPDX-License-Identifier: BSD-3-Clause
"""Whether the device computes what the host computes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from mcugen.base.errors import OutputMismatchError
from mcugen.device.inference import Advance, TensorBytes, infer, nothing
from mcugen.device.protocol.client import Client
from mcugen.model.catalog import Metric
from mcugen.program import calls

if TYPE_CHECKING:
    import numpy as np

    from mcugen.program.artifact import PteArtifact, TensorSpec

#: Of the largest value of an output: some hundred roundings of float32 (2**-24 each) in a row.
FLOAT_TOLERANCE = 1e-5


@dataclass(frozen=True)
class Difference:
    """The first place where the device's output is not the host's."""

    sample: int
    output: int
    index: int
    expected: float
    actual: float

    def __str__(self) -> str:
        return (
            f"sample {self.sample}, output {self.output}, element {self.index} in memory order: "
            f"expected {self.expected:g}, got {self.actual:g}"
        )


@dataclass(frozen=True)
class Scores:
    """A figure that says how good a model is; None where it is not known."""

    float_model: float | None = None
    int8_host: float | None = None
    device: float | None = None


@dataclass(frozen=True)
class Verification:
    """Device output against the host's reference, byte for byte.

    max_step: largest difference; in integer steps for an integer output, in the output's own
    unit for a float one. data: where the samples come from. close: samples that are equal or
    within the tolerance of a program that computes in float. float_operators: those of the
    program that round; without any, equal in every byte is the only pass. outputs: the device's,
    of every sample.
    """

    samples: int
    bit_exact: int
    max_step: float
    first_difference: Difference | None
    accuracy: Scores  #: share of samples whose largest output is the label's
    data: str
    close: int = 0
    float_operators: tuple[str, ...] = ()
    outputs: tuple[TensorBytes, ...] = field(default=(), repr=False)
    auc: Scores = field(default_factory=Scores)  #: of an autoencoder's errors

    @property
    def passed(self) -> bool:
        """Whether every output of every sample was what it has to be."""
        return (self.close if self.float_operators else self.bit_exact) == self.samples


def verify(
    client: Client,
    artifact: PteArtifact,
    samples: Sequence[TensorBytes],
    expected: Sequence[TensorBytes],
    *,
    labels: Sequence[int] | None = None,
    metric: Metric = Metric.ACCURACY,
    float_score: float | None = None,
    data: str = "",
    advance: Advance = nothing,
) -> Verification:
    """Run every sample on the device and compare each output byte with the host's.

    Integer programs must be equal in every byte. Where a program computes in float, the host's
    library rounds in another order: an integer output may be one step off, a float one by
    FLOAT_TOLERANCE of the output's largest value.

    Args:
        expected: the host reference's outputs, one entry per sample.
        labels: of each sample: its class; for AUC, whether it is an anomaly.
        metric: what outputs are judged by, given labels.
        float_score: that of the model before quantization, on the same samples.
    """
    bit_exact = close = 0
    max_step = 0.0
    first: Difference | None = None
    all_outputs: list[TensorBytes] = []
    for number, (inputs, wanted) in enumerate(zip(samples, expected, strict=True)):
        outputs, _ = infer(client, artifact, inputs)
        all_outputs.append(outputs)
        equal = near = True
        for index, (spec, want, got) in enumerate(
            zip(artifact.outputs, wanted, outputs, strict=True)
        ):
            if want == got:
                continue
            equal = False
            step, difference = _compare(spec, want, got, number, index)
            max_step = max(max_step, step)
            first = first or difference
            near &= within_tolerance(spec, want, got)
        bit_exact += equal
        close += near
        advance()
    total = len(samples)
    scores = Scores(
        float_score,
        _score(metric, artifact, samples, expected, labels),
        _score(metric, artifact, samples, all_outputs, labels),
    )
    return Verification(
        samples=total,
        bit_exact=bit_exact,
        max_step=int(max_step) if float(max_step).is_integer() else max_step,
        first_difference=first,
        accuracy=scores if metric is Metric.ACCURACY else Scores(),
        data=data,
        close=close,
        float_operators=tuple(
            use.name for use in artifact.operators if not use.int8 and calls.rounds(use.name)
        ),
        outputs=tuple(all_outputs),
        auc=scores if metric is Metric.AUC else Scores(),
    )


def _score(
    metric: Metric,
    artifact: PteArtifact,
    inputs: Sequence[TensorBytes],
    outputs: Sequence[TensorBytes],
    labels: Sequence[int] | None,
) -> float | None:
    """Return the figure that output 0 reaches, given input 0; None without samples or labels."""
    if labels is None or not len(labels):
        return None
    import numpy as np

    from mcugen.model import scores

    return scores.score(
        metric,
        np.stack([_real(artifact.inputs[0], sample[0]) for sample in inputs]),
        np.stack([_real(artifact.outputs[0], sample[0]) for sample in outputs]),
        np.asarray(labels),
    )


def _real(spec: TensorSpec, data: bytes) -> np.ndarray:
    """Return a tensor's values in its own unit, in memory order."""
    values = as_array(spec, data)
    if spec.scale is None:
        return values
    return (values.astype(float) - (spec.zero_point or 0)) * spec.scale


def require_passed(result: Verification, *, log_path: Path | None = None) -> None:
    """Raises OutputMismatchError, naming the first difference, unless the result passed."""
    if result.passed:
        return
    right = result.close if result.float_operators else result.bit_exact
    raise OutputMismatchError(
        f"{result.samples - right} of {result.samples} samples differ from the host "
        f"reference, by up to {result.max_step:g}; first: {result.first_difference}",
        log_path=log_path,
    )


def as_array(spec: TensorSpec, data: bytes) -> np.ndarray:
    """Return a tensor's bytes as an array, in memory order."""
    import numpy as np

    return np.frombuffer(data, dtype=np.dtype(spec.dtype).newbyteorder("<"))


def within_tolerance(spec: TensorSpec, want: bytes, got: bytes) -> bool:
    """Return whether rounding in float explains what an output differs by, if it does."""
    import numpy as np

    if want == got:
        return True
    step, _ = _compare(spec, want, got, 0, 0)
    if not spec.dtype.startswith("float"):
        return spec.dtype != "bool" and step <= 1
    magnitude = np.abs(as_array(spec, want).astype(np.float64))
    largest = float(magnitude[np.isfinite(magnitude)].max(initial=0.0))
    return step <= FLOAT_TOLERANCE * max(largest, 1.0)


def _compare(
    spec: TensorSpec, want: bytes, got: bytes, sample: int, output: int
) -> tuple[float, Difference | None]:
    """Return the largest difference and the first place whose bytes differ."""
    import numpy as np

    expected, actual = as_array(spec, want), as_array(spec, got)
    item = expected.dtype.itemsize
    bytes_differ = np.frombuffer(want, np.uint8) != np.frombuffer(got, np.uint8)
    index = int(np.flatnonzero(bytes_differ)[0]) // item
    with np.errstate(invalid="ignore", over="ignore"):
        gap = np.abs(expected.astype(np.float64) - actual.astype(np.float64))
    # NaN against a number is as far off as can be; NaN against NaN or -0 against 0 is no step.
    one_nan = np.isnan(expected.astype(np.float64)) != np.isnan(actual.astype(np.float64))
    gap = np.where(one_nan, np.inf, np.nan_to_num(gap, nan=0.0, posinf=np.inf))
    return float(gap.max()), Difference(
        sample, output, index, float(expected[index]), float(actual[index])
    )
