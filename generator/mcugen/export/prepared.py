# SPDX-License-Identifier: BSD-3-Clause
"""A model's graph with observers in it that have seen its calibration samples. Imports torch."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from mcugen.base.quiet import aloud
from mcugen.export.calibration import Calibration, Progress
from mcugen.export.quantization import QuantizationOptions
from mcugen.model.source import ModelSource

if TYPE_CHECKING:
    import torch


def channels_last(values: Iterable[torch.Tensor]) -> tuple[torch.Tensor, ...]:
    """Return the tensors with 4-D ones in channels-last memory order."""
    import torch

    return tuple(
        value.to(memory_format=torch.channels_last) if value.dim() == 4 else value
        for value in values
    )


def captured_for(source: ModelSource, calibration: Calibration) -> Any:
    """Return the model's graph as `prepared_for` takes it."""
    from mcugen.export.captured.capture import capture
    from mcugen.export.captured.masked_softmax import settle_lows

    captured = capture(source.name, source.module, source.example_inputs)
    settle_lows(captured, map(channels_last, calibration.samples))
    return captured


def prepared_for(
    captured: Any,
    calibration: Calibration,
    options: QuantizationOptions,
    progress: Progress | None = None,
) -> tuple[Any, Any]:
    """Return a captured graph, which is changed, with observers that have seen all samples.

    And the quantizer.
    """
    import torch
    from torchao.quantization.pt2e.quantize_pt2e import prepare_pt2e

    from mcugen.export.quantizer import reporting_quantizer

    def report(done: int) -> None:
        if progress:
            with aloud():
                progress("calibrating", done, len(calibration.samples))

    quantizer = reporting_quantizer(options)
    prepared = prepare_pt2e(captured, quantizer)
    with torch.no_grad():
        for done, sample in enumerate(calibration.samples):
            report(done)
            prepared(*channels_last(sample))
    report(len(calibration.samples))
    return prepared, quantizer
