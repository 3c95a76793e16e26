# SPDX-License-Identifier: BSD-3-Clause
"""Whether the device computes what the host computes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from mcugen.base.errors import OutputMismatchError
from mcugen.device.differing import Differing
from mcugen.device.inference import Advance, TensorBytes, nothing
from mcugen.device.judgement import Judgement, Truth, judge
from mcugen.device.protocol.client import Client
from mcugen.device.sampling import Again, Record, run_samples
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
class Verification:
    """Device output against the host's reference, byte for byte.

    max_step: largest difference; in integer steps for an integer output, in the output's own
    unit for a float one. data: where the samples come from. close: samples that are equal or
    within the tolerance of a program that computes in float. float_operators: those of the
    program that round; without any, equal in every byte is the only pass. outputs: the device's,
    of every sample. judgement: what they are worth, by labels and the model in float. resumed: how
    many samples an earlier command ran. losses: of the device, which was connected again.
    """

    samples: int
    bit_exact: int
    max_step: float
    first_difference: Difference | None
    data: str
    close: int = 0
    float_operators: tuple[str, ...] = ()
    outputs: tuple[TensorBytes, ...] = field(default=(), repr=False)
    judgement: Judgement = field(default_factory=Judgement, repr=False)
    resumed: int = 0
    losses: tuple[str, ...] = ()
    differing: Differing | None = None

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
    truth: Truth | None = None,
    data: str = "",
    record: Record | None = None,
    again: Again | None = None,
    advance: Advance = nothing,
) -> Verification:
    """Run every sample on the device and compare each output byte with the host's.

    Integer programs must be equal in every byte. Where a program computes in float, the host's
    library rounds in another order: an integer output may be one step off, a float one by
    FLOAT_TOLERANCE of the output's largest value.

    Args:
        expected: the host reference's outputs, one entry per sample.
        truth: what the outputs are judged by, besides the host's.
        record, again, advance: see `run_samples`.
    """
    outputs = run_samples(client, artifact, samples, record=record, again=again, advance=advance)
    return compare(artifact, samples, expected, outputs, truth=truth, data=data)


def compare(
    artifact: PteArtifact,
    samples: Sequence[TensorBytes],
    expected: Sequence[TensorBytes],
    outputs: Sequence[TensorBytes],
    *,
    truth: Truth | None = None,
    data: str = "",
) -> Verification:
    """Return the device's outputs beside the host's, and what they are worth."""
    bit_exact = close = 0
    max_step = 0.0
    first: Difference | None = None
    for number, (wanted, given) in enumerate(zip(expected, outputs, strict=True)):
        equal = near = True
        for index, (spec, want, got) in enumerate(
            zip(artifact.outputs, wanted, given, strict=True)
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
    return Verification(
        samples=len(samples),
        bit_exact=bit_exact,
        max_step=int(max_step) if float(max_step).is_integer() else max_step,
        first_difference=first,
        judgement=_judge(artifact, samples, expected, outputs, truth),
        data=data,
        close=close,
        float_operators=tuple(
            use.name for use in artifact.operators if not use.int8 and calls.rounds(use.name)
        ),
        outputs=tuple(outputs),
    )


def _judge(
    artifact: PteArtifact,
    samples: Sequence[TensorBytes],
    expected: Sequence[TensorBytes],
    outputs: Sequence[TensorBytes],
    truth: Truth | None,
) -> Judgement:
    if truth is None or not samples or not artifact.inputs or not artifact.outputs:
        return Judgement()
    into, out = artifact.inputs[0], artifact.outputs[0]
    return judge(
        truth,
        real_values(into, [each[0] for each in samples]),
        real_values(out, [each[0] for each in expected]),
        real_values(out, [each[0] for each in outputs]),
    )


def real_values(spec: TensorSpec, rows: Sequence[bytes]) -> np.ndarray:
    """Return a tensor of each sample in its own unit: float64[n, *shape]."""
    import numpy as np

    from mcugen.program.tensor_files import to_logical

    values = np.stack([to_logical(spec, row) for row in rows]).astype(np.float64)
    if spec.scale is None:
        return values
    return np.asarray((values - (spec.zero_point or 0)) * spec.scale)


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
