# SPDX-License-Identifier: BSD-3-Clause
"""Run inferences on a device, check and time them: Client and PteArtifact → Measurement."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mcugen import operators
from mcugen.errors import DeviceError, OutputMismatchError, ProtocolError
from mcugen.protocol import Client, DeviceInfo

if TYPE_CHECKING:
    import numpy as np

    from mcugen.boards import BoardSpec
    from mcugen.memory import MemoryPlan
    from mcugen.pte import PteArtifact, TensorSpec

#: One inference's inputs or outputs: each tensor's bytes in its own memory order.
TensorBytes = tuple[bytes, ...]
Advance = Callable[[], None]


#: Of the largest value of an output: some hundred roundings of float32 (2**-24 each) in a row.
FLOAT_TOLERANCE = 1e-5


def _nothing() -> None:
    pass


# ---------------------------------------------------------------------------- values


@dataclass(frozen=True)
class Timing:
    """What N inferences took, the empty interval subtracted.

    counter: "instructions" when simulated, else "cycles"; never mixed.
    counts: one per run, in order. latency_us: median at the clock really set; None when simulated.
    """

    counter: str
    counts: tuple[int, ...]
    warmups: int
    empty_ticks: int
    counter_kind: str
    counter_hz: int
    latency_us: float | None

    @property
    def runs(self) -> int:
        """How many runs were timed."""
        return len(self.counts)

    @property
    def min(self) -> int:
        """The fastest run."""
        return min(self.counts)

    @property
    def max(self) -> int:
        """The slowest run."""
        return max(self.counts)

    @property
    def median(self) -> int:
        """The lower median: a count that really occurred."""
        return percentile(self.counts, 50)

    @property
    def p99(self) -> int:
        """The 99th percentile by nearest rank."""
        return percentile(self.counts, 99)


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
class Accuracy:
    """Share of samples whose largest output is the label's; None where it is not known."""

    float_model: float | None
    int8_host: float | None
    device: float | None


@dataclass(frozen=True)
class Verification:
    """Device output against the host's reference, byte for byte.

    max_step: largest difference; in integer steps for an integer output, in the output's own
    unit for a float one. data: where the samples come from. close: samples that are equal or
    within the tolerance of a program that computes in float. float_operators: those of the
    program that round; without any, equal in every byte is the only pass.
    """

    samples: int
    bit_exact: int
    max_step: float
    first_difference: Difference | None
    accuracy: Accuracy
    data: str
    close: int = 0
    float_operators: tuple[str, ...] = ()

    @property
    def passed(self) -> bool:
        """Whether every output of every sample was what it has to be."""
        return (self.close if self.float_operators else self.bit_exact) == self.samples


@dataclass(frozen=True)
class Measurement:
    """All that is known about one run on one device."""

    board: BoardSpec
    simulated: bool
    firmware_id: str
    pte_sha256: str
    info: DeviceInfo
    toolchain: str
    flags: str
    transcript: Path
    timing: Timing | None = None
    verification: Verification | None = None
    warnings: tuple[str, ...] = ()
    extras: dict[str, Any] = field(default_factory=dict)


def percentile(counts: Sequence[int], percent: int) -> int:
    """Return the nearest-rank percentile: the smallest value that `percent` % do not exceed."""
    ordered = sorted(counts)
    return ordered[max(math.ceil(len(ordered) * percent / 100), 1) - 1]


# ---------------------------------------------------------------------------- identity


def check_device(
    info: DeviceInfo, artifact: PteArtifact, firmware_id: str, *, log_path: Path | None = None
) -> None:
    """Refuse to measure a device that runs something else, or that failed to load its model.

    Raises DeviceError, ProtocolError.
    """
    if info.firmware_id != firmware_id:
        raise DeviceError(
            f"the device runs firmware {info.firmware_id} ({info.model} for {info.board}), "
            f"not {firmware_id}",
            hint="Put the last build on it with 'mcugen flash'.",
            log_path=log_path,
        )
    if info.state != "ready":
        raise DeviceError(
            f"the firmware could not load the model: {info.error or info.state}", log_path=log_path
        )
    if info.pte_sha256 != artifact.sha256:
        raise ProtocolError(
            f"firmware {firmware_id} holds the model {info.pte_sha256[:16]}…, "
            f"not {artifact.sha256[:16]}…",
            log_path=log_path,
        )
    for what, specs, reported in (
        ("input", artifact.inputs, info.inputs),
        ("output", artifact.outputs, info.outputs),
    ):
        expected = [spec.nbytes for spec in specs]
        if [size for _, size in reported] != expected:
            raise ProtocolError(
                f"the device's {what}s have {[size for _, size in reported]} B; "
                f"the model's have {expected} B",
                log_path=log_path,
            )


def memory_warnings(info: DeviceInfo, artifact: PteArtifact, plan: MemoryPlan) -> tuple[str, ...]:
    """Return where the device's memory use differs from what was planned on the host."""
    warnings: list[str] = []
    expected = {
        "planned": sum(plan.planned_bytes),
        "method": plan.method_bytes,
        "temp": plan.temp_bytes,
        "io": plan.io_bytes,
        "stack": plan.stack_bytes,
    }
    for name, total in expected.items():
        pool = info.memory.get(name)
        if pool is None:
            warnings.append(f"the device does not report its {name} memory")
            continue
        if pool.total_bytes != total:
            warnings.append(
                f"{name} memory has {pool.total_bytes:,} B on the device; {total:,} B were planned"
            )
        if name == "method" and pool.used_bytes != artifact.method_bytes:
            warnings.append(
                f"loading the method used {pool.used_bytes:,} B; "
                f"{artifact.method_bytes:,} B were predicted"
            )
        elif pool.used_bytes > pool.total_bytes:
            warnings.append(f"{name} memory: {pool.used_bytes:,} B used of {pool.total_bytes:,} B")
    return tuple(warnings)


# ---------------------------------------------------------------------------- inference


def infer(client: Client, artifact: PteArtifact, inputs: TensorBytes) -> tuple[TensorBytes, int]:
    """Run one inference; return the outputs and the raw ticks."""
    for index, data in enumerate(inputs):
        client.write_input(index, data)
    ticks = client.execute()
    outputs = tuple(
        client.read_output(index, spec.nbytes) for index, spec in enumerate(artifact.outputs)
    )
    return outputs, ticks


def counted(
    ticks: int, info: DeviceInfo, board: BoardSpec, *, simulated: bool
) -> tuple[str, int | None]:
    """Return what an inference took: "instructions" or "cycles", and how many; None: no counter.

    Args:
        ticks: as EXECUTE answers.
    """
    unit = "instructions" if simulated else "cycles"
    if info.counter == "none":
        return unit, None
    net = max(ticks - info.empty_ticks, 0)
    if simulated:
        if board.qemu is None:
            raise ValueError(f"{board.id} has no QEMU machine to have been simulated on")
        # -icount shift=0 makes one instruction one nanosecond of the machine's time.
        return unit, round(net * 1_000_000_000 / board.qemu.counter_hz)
    # A SysTick that runs slower than the core still gives core cycles.
    return unit, round(net * info.clock_hz / info.counter_hz)


def bench(
    client: Client,
    info: DeviceInfo,
    board: BoardSpec,
    inputs: TensorBytes,
    *,
    runs: int,
    warmups: int,
    simulated: bool,
    advance: Advance = _nothing,
) -> Timing:
    """Time `runs` inferences of one input after `warmups` that are not counted.

    Raises DeviceError if the device has no counter.
    """
    if info.counter == "none":
        raise DeviceError(
            f"{info.board} has no working cycle counter: neither DWT nor SysTick ran in its "
            "self-test; nothing can be timed"
        )
    for index, data in enumerate(inputs):
        client.write_input(index, data)
    for _ in range(warmups):
        client.execute()
        advance()
    ticks: list[int] = []
    for _ in range(runs):
        ticks.append(client.execute())
        advance()
    net = [max(t - info.empty_ticks, 0) for t in ticks]
    if simulated:
        if board.qemu is None:
            raise ValueError(f"{board.id} has no QEMU machine to have been simulated on")
        # -icount shift=0 makes one instruction one nanosecond of the machine's time.
        rate = board.qemu.counter_hz
        counts = tuple(round(t * 1_000_000_000 / rate) for t in net)
    else:
        rate = info.counter_hz
        # A SysTick that runs slower than the core still gives core cycles.
        counts = tuple(round(t * info.clock_hz / rate) for t in net)
    return Timing(
        counter="instructions" if simulated else "cycles",
        counts=counts,
        warmups=warmups,
        empty_ticks=info.empty_ticks,
        counter_kind=info.counter,
        counter_hz=rate,
        latency_us=None if simulated else percentile(net, 50) * 1_000_000 / rate,
    )


# ---------------------------------------------------------------------------- verification


def verify(
    client: Client,
    artifact: PteArtifact,
    samples: Sequence[TensorBytes],
    expected: Sequence[TensorBytes],
    *,
    labels: Sequence[int] | None = None,
    float_accuracy: float | None = None,
    data: str = "",
    advance: Advance = _nothing,
) -> Verification:
    """Run every sample on the device and compare each output byte with the host's.

    Integer programs must be equal in every byte. Where a program computes in float, the host's
    library rounds in another order: an integer output may be one step off, a float one by
    FLOAT_TOLERANCE of the output's largest value.

    Args:
        expected: the host reference's outputs, one entry per sample.
        labels: class of each sample, for the accuracies.
        float_accuracy: of the model before quantization, on the same samples.
    """
    bit_exact = close = 0
    max_step = 0.0
    first: Difference | None = None
    device_right = host_right = 0
    for number, (inputs, wanted) in enumerate(zip(samples, expected, strict=True)):
        outputs, _ = infer(client, artifact, inputs)
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
        if labels is not None:
            device_right += _predicted(artifact.outputs[0], outputs[0]) == labels[number]
            host_right += _predicted(artifact.outputs[0], wanted[0]) == labels[number]
        advance()
    total = len(samples)
    labelled = labels is not None and total > 0
    return Verification(
        samples=total,
        bit_exact=bit_exact,
        max_step=int(max_step) if float(max_step).is_integer() else max_step,
        first_difference=first,
        accuracy=Accuracy(
            float_model=float_accuracy,
            int8_host=host_right / total if labelled else None,
            device=device_right / total if labelled else None,
        ),
        data=data,
        close=close,
        float_operators=tuple(
            use.name for use in artifact.operators if not use.int8 and operators.rounds(use.name)
        ),
    )


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


def _predicted(spec: TensorSpec, data: bytes) -> int:
    return int(as_array(spec, data).argmax())


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
