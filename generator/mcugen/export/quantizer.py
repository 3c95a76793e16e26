# SPDX-License-Identifier: BSD-3-Clause
"""ExecuTorch's Cortex-M quantizer, with more patterns and a user's choices. Imports torch."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from mcugen.export.operators_traced import CapturedNode
from mcugen.export.provenance import short_name
from mcugen.export.quantization import QuantizationOptions


def reporting_quantizer(
    options: QuantizationOptions, *, annotated: Callable[[Any], None] | None = None
) -> Any:
    """Return a CortexMQuantizer that remembers which operators it left in float, and why.

    Args:
        options: what the user chooses.
        annotated: called with the graph once all its nodes are annotated.

    Its `annotate` raises ConfigError if the options name a layer that there is not.
    """
    from executorch.backends.arm.quantizer.arm_quantizer_utils import SharedQspecQuantizer
    from executorch.backends.cortex_m.quantizer.pattern_matcher import PatternMatcher
    from executorch.backends.cortex_m.quantizer.quantizer import CortexMQuantizer
    from executorch.backends.cortex_m.quantizer_reporter import QuantizerReporter
    from torchao.quantization.pt2e.quantizer import ComposableQuantizer
    from torchao.quantization.pt2e.quantizer.quantizer import Q_ANNOTATION_KEY

    from mcugen.export.captured.origins import captured_nodes
    from mcugen.export.curve import CURVE, described
    from mcugen.export.layer_choices import FloatLayers, choose_methods
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
            self._in_float = FloatLayers(options.float_layers)
            self.quantizers[:0] = [self._in_float, RecurrentRanges()]
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
                if node in self._in_float.nodes:
                    self.unquantized[node.name] = (
                        f"--float-layer {self._in_float.nodes[node]} keeps it in float"
                    )
                elif node.meta.get(Q_ANNOTATION_KEY) is None:
                    text = words.get(
                        rejected.get(node.name, ""), "the quantizer has no int8 pattern for {op}"
                    )
                    self.unquantized[node.name] = text.format(op=short_name(operator))
            if annotated is not None:
                annotated(model)
            return model

        def prepare_obs_or_fq_callback(self, model: Any, observers: Any) -> None:
            choose_methods(model.graph, observers, options)

    return ReportingQuantizer()
