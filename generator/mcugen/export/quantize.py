# SPDX-License-Identifier: BSD-3-Clause
"""Quantize a model to int8 with ExecuTorch's Cortex-M quantizer (PT2E). Imports torch."""

from __future__ import annotations

import warnings
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mcugen.base.errors import QuantizationError
from mcugen.base.explain import explain
from mcugen.base.quiet import aloud, quiet
from mcugen.export.calibration import Calibration, Progress
from mcugen.export.operators_traced import CapturedNode, TracedOperator
from mcugen.model.source import Change, ModelSource

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True)
class QuantizedProgram:
    """The converted program, and what the quantizer thought of each operator."""

    name: str
    program: Any  #: torch.export.ExportedProgram with quantize/dequantize pairs
    sources: dict[str, str]  #: node of the captured graph to its operator, "aten.elu.default"
    unquantized: dict[str, str]  #: node of the captured graph left in float to the reason
    calibration: str
    calibration_samples: int
    calibration_random: bool
    notes: tuple[str, ...] = ()  #: as ModelSource has them
    traced: tuple[TracedOperator, ...] = ()  #: the operators of the user's model
    captured: tuple[CapturedNode, ...] = ()  #: the graph that was quantized
    changes: tuple[Change, ...] = ()  #: to the module, before it was traced


def quantize(
    source: ModelSource,
    calibration: Calibration,
    *,
    progress: Progress | None = None,
    verbose: bool = False,
) -> QuantizedProgram:
    """Return the model converted to int8 for the Cortex-M operators.

    4-D inputs and the model's weights are put in channels-last order first: traced in NCHW, every
    convolution would silently stay float.

    Raises QuantizationError if the model cannot be traced or converted.
    """
    with quiet(verbose=verbose), warnings.catch_warnings():
        if not verbose:
            warnings.simplefilter("ignore")
        try:
            return _quantize(source, calibration, progress)
        except QuantizationError:
            raise
        except Exception as error:  # torch raises many types
            raise QuantizationError(f"{source.name}: {explain(error)}") from error


def channels_last(values: Iterable[torch.Tensor]) -> tuple[torch.Tensor, ...]:
    """Return the tensors with 4-D ones in channels-last memory order."""
    import torch

    return tuple(
        value.to(memory_format=torch.channels_last) if value.dim() == 4 else value
        for value in values
    )


def _quantize(
    source: ModelSource, calibration: Calibration, progress: Progress | None
) -> QuantizedProgram:
    import torch
    from torchao.quantization.pt2e.quantize_pt2e import convert_pt2e, prepare_pt2e

    from mcugen.export.captured.capture import TRACED, capture
    from mcugen.export.captured.masked_softmax import settle_lows
    from mcugen.export.changes import module_changes

    def report(done: int) -> None:
        if progress:
            with aloud():
                progress("calibrating", done, len(calibration.samples))

    inputs = channels_last(source.example_inputs)
    captured = capture(source.name, source.module, source.example_inputs)
    settle_lows(captured, map(channels_last, calibration.samples))
    quantizer = _reporting_quantizer()
    prepared = prepare_pt2e(captured, quantizer)
    with torch.no_grad():
        for done, sample in enumerate(calibration.samples):
            report(done)
            prepared(*channels_last(sample))
    report(len(calibration.samples))
    converted = convert_pt2e(prepared)
    return QuantizedProgram(
        name=source.name,
        program=torch.export.export(converted, inputs),
        sources=quantizer.sources,
        unquantized=quantizer.unquantized,
        calibration=calibration.provenance,
        calibration_samples=len(calibration.samples),
        calibration_random=calibration.random,
        notes=source.notes,
        traced=captured.meta[TRACED],
        captured=quantizer.captured,
        changes=source.changes + module_changes(source.module, source.example_inputs),
    )


def _reporting_quantizer() -> Any:
    """Return a CortexMQuantizer that remembers which operators it left in float, and why."""
    from executorch.backends.arm.quantizer.arm_quantizer_utils import SharedQspecQuantizer
    from executorch.backends.cortex_m.quantizer.pattern_matcher import PatternMatcher
    from executorch.backends.cortex_m.quantizer.quantizer import CortexMQuantizer
    from executorch.backends.cortex_m.quantizer_reporter import QuantizerReporter
    from torchao.quantization.pt2e.quantizer import ComposableQuantizer
    from torchao.quantization.pt2e.quantizer.quantizer import Q_ANNOTATION_KEY

    from mcugen.export.captured.origins import captured_nodes
    from mcugen.export.curve import CURVE, described
    from mcugen.export.patterns import take_more
    from mcugen.export.recurrent_ranges import RecurrentRanges
    from mcugen.export.shared_ranges import SharedRanges

    words = {
        PatternMatcher.REJECT_UNSUPPORTED_PATTERN: (
            "the quantizer does not take {op} in this configuration (shapes, layout or attributes)"
        ),
        PatternMatcher.REJECT_UNSUPPORTED_QCONFIG: (
            "the quantizer does not take {op} with int8 activations"
        ),
        PatternMatcher.REJECT_LARGE_SCALAR: "{op} has a constant too large for int8",
    }

    class ReportingQuantizer(CortexMQuantizer):  # type: ignore[misc]  # the wheel has no types
        def __init__(self) -> None:
            super().__init__()
            self.quantizers: list[Any] = [
                SharedRanges() if isinstance(each, SharedQspecQuantizer) else each
                for each in self.quantizers
            ]
            take_more(self.quantizers)
            self.quantizers.insert(0, RecurrentRanges())
            self.sources: dict[str, str] = {}
            self.unquantized: dict[str, str] = {}
            self.captured: tuple[CapturedNode, ...] = ()

        def annotate(self, model: Any) -> Any:
            reporter = QuantizerReporter(self.quantizers)
            model = ComposableQuantizer.annotate(self, model)
            self.captured = captured_nodes(model)
            rejected: dict[str, str] = {}
            for report in reporter.quantizers.values():
                for pattern in report.rejected_patterns:
                    for node_name in pattern.node_names:
                        if pattern.rejection_reason in words:
                            rejected[node_name] = pattern.rejection_reason
            for node in model.graph.nodes:
                if node.op != "call_function":
                    continue
                is_curve = node.target is CURVE
                operator = described(node.args[1]) if is_curve else str(node.target)
                self.sources[node.name] = operator
                if node.meta.get(Q_ANNOTATION_KEY) is None:
                    text = words.get(
                        rejected.get(node.name, ""), "the quantizer has no int8 pattern for {op}"
                    )
                    self.unquantized[node.name] = text.format(op=short_name(operator))
            return model

    return ReportingQuantizer()


def short_name(operator: str) -> str:
    """Return "aten.elu" for "aten.elu.default"."""
    return ".".join(operator.split(".")[:2])
