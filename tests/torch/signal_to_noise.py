# SPDX-License-Identifier: BSD-3-Clause
"""How far the quantized graph is from the float module, and the `.pte` from the quantized graph.

Both as a signal-to-noise ratio in dB over held-out inputs, per output. The first is
what int8 costs; the second is rounding, or a fault of lowering.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import nn

from mcugen.export.calibration import Calibration
from mcugen.export.lower import lower
from mcugen.export.lowering_report import LoweringReport
from mcugen.export.prepared import channels_last
from mcugen.export.quantize import quantize
from mcugen.model.source import ModelSource
from mcugen.program.artifact import PteArtifact
from mcugen.program.read import read_pte
from mcugen.program.reference.walker import Reference

#: The ratio of two equal signals.
EXACT = 200.0
Row = tuple[torch.Tensor, ...]


@dataclass(frozen=True)
class Figures:
    """The ratios of one output, in dB."""

    quantized: float  #: quantized graph against the float module
    lowered: float  #: `.pte` on the host reference against the quantized graph
    device: float  #: `.pte` on the host reference against the float module

    def faults(self, least: float) -> str:
        """Return what is wrong with them; "" if nothing is."""
        if self.quantized < least:
            return f"the quantized graph has {self}, at least {least} dB expected"
        if self.device < self.quantized - 1:
            return f"lowering costs {self.quantized - self.device:.1f} dB: {self}"
        return ""

    def __str__(self) -> str:
        return f"{self.quantized:.1f} / {self.lowered:.1f} dB"


@dataclass(frozen=True)
class Measured:
    outputs: tuple[Figures, ...]
    artifact: PteArtifact
    report: LoweringReport
    given: tuple[tuple[bytes, ...], ...]  #: held-out rows as the device takes them
    gave: tuple[tuple[bytes, ...], ...]  #: what the host reference made of them


def sqnr(signal: Sequence[np.ndarray], other: Sequence[np.ndarray]) -> float:
    """Return the ratio of `signal` to the difference, in dB; EXACT if there is none."""
    a = np.concatenate([np.asarray(each, np.float64).ravel() for each in signal])
    b = np.concatenate([np.asarray(each, np.float64).ravel() for each in other])
    noise = float(((a - b) ** 2).sum())
    if noise == 0:
        return EXACT
    return 10 * float(np.log10(max(float((a**2).sum()), 1e-30) / noise))


def measure(
    module: nn.Module, calibration: Sequence[Row], held_out: Sequence[Row], cpu: str = "cortex-m4"
) -> Measured:
    """Quantize and lower `module` with float I/O, and compare its three forms."""
    module = module.eval()
    with torch.no_grad():
        want = [_arrays(module(*_copy(row))) for row in held_out]
    source = ModelSource("network", module, _copy(calibration[0]), None, None, "a test")
    samples = tuple(_copy(row) for row in calibration)
    quantized = quantize(source, Calibration(samples, "a test's", True))
    graph = quantized.program.module()
    with torch.no_grad():
        middle = [_arrays(graph(*channels_last(_copy(row)))) for row in held_out]
    pte, report = lower(quantized, cpu=cpu, io="float")
    artifact = read_pte(pte, name="network")
    reference = Reference(artifact)
    inputs, raw, got = [], [], []
    for row in held_out:
        memory = tuple(
            value.permute(spec.dim_order).contiguous().numpy().astype(spec.dtype).tobytes()
            for value, spec in zip(row, artifact.inputs, strict=True)
        )
        arrays = reference.run(memory)
        inputs.append(memory)
        raw.append(tuple(np.asarray(each).tobytes() for each in arrays))
        got.append(
            [
                np.asarray(each).reshape(spec.memory_shape).transpose(np.argsort(spec.dim_order))
                for each, spec in zip(arrays, artifact.outputs, strict=True)
            ]
        )
    assert [each.shape for each in want[0]] == [each.shape for each in got[0]]
    columns = (zip(*rows, strict=True) for rows in (want, middle, got))
    figures = tuple(
        Figures(sqnr(a, b), sqnr(b, c), sqnr(a, c)) for a, b, c in zip(*columns, strict=True)
    )
    return Measured(figures, artifact, report, tuple(inputs), tuple(raw))


def _copy(row: Row) -> Row:
    return tuple(value.clone() for value in row)


def _arrays(outputs: Any) -> list[np.ndarray]:
    if isinstance(outputs, torch.Tensor):
        outputs = [outputs]
    elif isinstance(outputs, dict):
        outputs = list(outputs.values())
    return [each.detach().contiguous().numpy() for each in outputs]
