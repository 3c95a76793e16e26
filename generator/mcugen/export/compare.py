# SPDX-License-Identifier: BSD-3-Clause
"""Compare a `.pte` with the model it was made from, and with the graph it was lowered from.

Three runs over some calibration samples, on the host: the user's module in float; the quantized
graph in PyTorch; the `.pte`, instruction by instruction, as the device runs it.

Float and `.pte` are as far apart as int8 makes them: that is reported. The graph and the `.pte`
differ by rounding only. How much that makes in this network is measured: the graph is run once
more with each value rounded up or down at random. A `.pte` that differs by a multiple of that is
wrong. So is one in which a single call is off by more than a step or two from its node, given the
same operands (`mcugen.export.parting`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from mcugen.base.errors import LoweringError, PteError
from mcugen.base.explain import first_line
from mcugen.export.calibration import SEED, Calibration
from mcugen.export.fidelity import Fidelity, not_compared
from mcugen.export.figures import Values, describe, rms, sqnr_db
from mcugen.export.lowering_report import LoweringReport
from mcugen.export.parting import Parting, Trace, first_parting, match_calls
from mcugen.export.prepared import channels_last
from mcugen.export.provenance import place
from mcugen.export.qat import as_trained
from mcugen.export.quantize import QuantizedProgram
from mcugen.export.quantized_run import QuantizedRun
from mcugen.program.artifact import PteArtifact, TensorSpec
from mcugen.program.device_input import to_device
from mcugen.program.reference.walker import Reference
from mcugen.program.values import is_tensor, numbered_calls

#: Samples of a small model: enough for the share of top classes to mean something.
_MOST_SAMPLES = 64
#: A larger model has fewer, so that all runs take a few seconds: the quantized graph and the
#: reference do 30 to 100 million multiply-accumulates a second.
_MACS = 100_000_000
_FEWEST_SAMPLES = 4
#: Random rounding moves each value by up to a step, the `.pte` few of them by one. Of healthy
#: programs the ratio is 0 to 1.1, of wrong ones 18 and more.
_ROUNDING_RATIO = 3.0
#: And it is only wrong if it is further from the float model than the graph is.
_LOST_DB = 1.0
#: The same where the graph itself is so far off that nothing can be lost any more.
_WRONG_RATIO = 10.0
#: What is compared call by call.
_TRACED_SAMPLES = 8
#: Two outputs are the same whatever the ratio says: an error of a thousandth of the signal.
_SAME_DB = 60.0


@dataclass(frozen=True)
class FloatRun:
    """What the user's module gives for some samples; taken before quantizing touches it."""

    samples: tuple[tuple[torch.Tensor, ...], ...]
    outputs: tuple[tuple[np.ndarray, ...], ...]  #: per sample
    data: str
    random: bool
    reason: str | None = None  #: why it could not be run


def run_float(module: torch.nn.Module, calibration: Calibration) -> FloatRun:
    """Return the float module's outputs for samples chosen by a seed from the calibration's."""
    chosen = np.random.RandomState(SEED).permutation(len(calibration.samples))[:_MOST_SAMPLES]
    samples = tuple(calibration.samples[index] for index in sorted(chosen))
    outputs = []
    reason = None
    module = as_trained(module)
    with _restored(module), torch.no_grad(), one_thread():
        try:
            for sample in samples:
                leaves = torch.utils._pytree.tree_leaves(module(*sample))
                outputs.append(tuple(_array(leaf) for leaf in leaves if leaf is not None))
        except Exception as error:  # the user's code: anything
            reason = f"it does not run in PyTorch ({first_line(error)})"
    return FloatRun(samples, tuple(outputs), calibration.provenance, calibration.random, reason)


def compare(
    reference: FloatRun, quantized: QuantizedProgram, report: LoweringReport, artifact: PteArtifact
) -> Fidelity:
    """Return how far `artifact` is from the float model.

    Raises LoweringError, naming the layer, if it is not the quantized graph up to rounding.
    """
    count = max(_FEWEST_SAMPLES, _MACS // max(artifact.macs, 1))
    samples = reference.samples[:count]
    with one_thread():
        graph = QuantizedRun(quantized.program)
        laid_out = [channels_last(sample) for sample in samples]
        plain = [graph.outputs(sample) for sample in laid_out]
        graph.dither = torch.Generator().manual_seed(SEED)
        rounded = [graph.outputs(sample) for sample in laid_out]
        graph.dither = None
        host = Reference(artifact)
        got = [_run(host, sample, report) for sample in samples]
    values = [
        Values(
            spec=spec,
            quantized=_column(plain, index, spec),
            rounded=_column(rounded, index, spec),
            pte=np.stack([_real(row[index], spec) for row in got]),
            raw=np.stack([row[index] for row in got]),
            float_model=_float_column(reference, index, spec, len(samples)),
        )
        for index, spec in enumerate(artifact.outputs)
    ]
    with one_thread():
        parting = find_parting(graph, host, report, samples[:_TRACED_SAMPLES])
    wrong = next((each for each in values if _is_wrong(each)), None)
    if wrong is not None or (parting is not None and parting.certain):
        raise _refusal(artifact.name, wrong, parting)
    if reference.reason is not None:
        return not_compared(reference.reason)
    if any(each.float_model is None for each in values):
        return not_compared("its outputs in PyTorch are not those of the .pte")
    return describe(values, samples, artifact, data=reference.data, random=reference.random)


def _run(
    host: Reference, sample: tuple[torch.Tensor, ...], report: LoweringReport
) -> tuple[np.ndarray, ...]:
    """Return the program's outputs; what a call refuses is said by layer."""
    reached = -1

    def step(position: int) -> None:
        nonlocal reached
        reached = position

    try:
        return host.run(_inputs(sample, host.artifact), on_step=step)
    except PteError as error:
        line = match_calls(host.plan, report).get(reached + 1)
        if line is None:
            raise
        raise LoweringError(
            f"{host.artifact.name}: {line.source or line.operator} in {line.where} was lowered to "
            f"a call that cannot be made: {error.message}",
            hint=_way_around(line.source),
        ) from error


# --- the verdict on lowering ---


def _is_wrong(values: Values) -> bool:
    """Whether more than rounding is between the `.pte` and the quantized graph."""
    if not values.spec.dtype.startswith("float") and values.spec.scale is None:
        # Indices and masks: as many may differ as random rounding changes.
        differ = float((values.pte != values.quantized).mean())
        return differ > max(
            0.1, _ROUNDING_RATIO * float((values.rounded != values.quantized).mean())
        )
    apart = rms(values.pte - values.quantized)
    least = (values.spec.scale or 0.0) / 2  # where rounding has nothing to change
    allowed = max(rms(values.rounded - values.quantized), least)
    if apart <= _ROUNDING_RATIO * allowed or sqnr_db(values.quantized, values.pte) > _SAME_DB:
        return False
    if values.float_model is None or apart > _WRONG_RATIO * allowed:
        return True
    before = sqnr_db(values.float_model, values.quantized)
    return sqnr_db(values.float_model, values.pte) < before - _LOST_DB


def find_parting(
    graph: QuantizedRun,
    host: Reference,
    report: LoweringReport,
    samples: Sequence[tuple[torch.Tensor, ...]],
) -> Parting | None:
    """Return where the program first parts from the graph on these samples."""
    planned = {
        position: [index for index in args if is_tensor(host.plan.values[index], planned=True)]
        for position, _, args in numbered_calls(host.plan)
    }

    def runs() -> Iterator[tuple[tuple[torch.Tensor, ...], Trace]]:
        for sample in samples:
            trace: dict[int, dict[int, torch.Tensor]] = {}

            def keep(position: int, trace: dict[int, dict[int, torch.Tensor]] = trace) -> None:
                if position in planned:
                    trace[position] = {index: host.computed(index) for index in planned[position]}

            host.run(_inputs(sample, host.artifact), on_step=keep)
            yield channels_last(sample), trace

    return first_parting(graph, host.plan, report, runs())


def _refusal(model: str, wrong: Values | None, parting: Parting | None) -> LoweringError:
    """Return what is said of a program that is not the graph it was lowered from."""
    what = f"{model}: the lowered program does not compute what the quantized model does"
    if wrong is not None:
        what += (
            f": {wrong.spec.name} is at {sqnr_db(wrong.quantized, wrong.pte):.1f} dB of it, "
            f"and rounding explains {sqnr_db(wrong.quantized, wrong.rounded):.1f} dB"
        )
    if parting is None:
        return LoweringError(
            what, hint="Which layer it is cannot be told. Build parts of the model to find it."
        )
    return LoweringError(
        f"{what}\n"
        f"First wrong: {parting.source} in {place(parting.layer, parting.line)}, lowered to "
        f"{parting.operator}: {parting.difference}, given the same operands",
        hint=_way_around(parting.source),
    )


#: What to write instead, by the operators' names.
_WAYS_AROUND = (
    (
        ("view", "reshape", "flatten", "unsqueeze", "squeeze", "permute", "transpose", "unfold"),
        "Give the operator a copy in plain order, x.contiguous(), or write torch.flatten(x, 1).",
    ),
    (
        ("pixel_shuffle", "pixel_unshuffle", "channel_shuffle", "stack", "expand"),
        "Give the operator a copy in plain order, x.contiguous().",
    ),
    (
        ("relu", "relu6", "clamp", "hardtanh", "hardswish", "hardsigmoid", "leaky_relu"),
        "Put the activation directly behind a convolution or linear layer that nothing else uses.",
    ),
    (
        ("gt", "ge", "lt", "le", "eq", "ne", "where", "masked_fill"),
        "Compare with a tensor instead of a number, or outside of the model.",
    ),
    (
        ("full", "full_like", "ones_like", "zeros_like", "ones", "zeros"),
        "Register the constant as a buffer of the module.",
    ),
)


def _way_around(source: str) -> str:
    operators = {name.removeprefix("aten.").rstrip("_") for name in source.split(" and ")}
    for names, words in _WAYS_AROUND:
        if operators.intersection(names):
            return words
    return "Write this layer in another way, or leave it out of the model and compute it outside."


# --- values ---


def _inputs(sample: tuple[torch.Tensor, ...], artifact: PteArtifact) -> list[np.ndarray]:
    """Return a sample as the program takes it."""
    return [
        to_device(value.unsqueeze(0).numpy(), spec)[0]
        for value, spec in zip(sample, artifact.inputs, strict=True)
    ]


def _array(value: Any) -> np.ndarray:
    return torch.as_tensor(value).detach().contiguous().to(torch.float64).numpy()


def _real(value: np.ndarray, spec: TensorSpec) -> np.ndarray:
    """Return an output of the program in its own units, axes in the order of its shape."""
    logical = value.transpose(np.argsort(spec.dim_order)) if spec.shape else value
    real = logical.astype(np.float64)
    if spec.scale is not None and spec.zero_point is not None:
        real = (real - spec.zero_point) * spec.scale
    return real


def _column(rows: Sequence[Sequence[Any]], index: int, spec: TensorSpec) -> np.ndarray:
    """Return output `index` of every sample: float64[n, *shape]."""
    return np.stack([_array(row[index]).reshape(spec.shape) for row in rows])


def _float_column(run: FloatRun, index: int, spec: TensorSpec, count: int) -> np.ndarray | None:
    """Return the same of the float model, None where it has no such output."""
    rows = [row[index] for row in run.outputs[:count] if index < len(row)]
    if run.reason is not None or len(rows) != count:
        return None
    if any(row.size != rows[0].size or row.size != np.prod(spec.shape) for row in rows):
        return None
    return np.stack([row.reshape(spec.shape) for row in rows])


# --- surroundings ---


@contextmanager
def one_thread() -> Iterator[None]:
    """These operators are too small to share out: a second thread only waits for the first."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


@contextmanager
def _restored(module: torch.nn.Module) -> Iterator[None]:
    """Leave the module's buffers as they were: a model with state changes them when it is run."""
    buffers = [(buffer, buffer.detach().clone()) for buffer in module.buffers()]
    try:
        yield
    finally:
        with torch.no_grad():
            for buffer, before in buffers:
                buffer.copy_(before)
