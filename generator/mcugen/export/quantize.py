# SPDX-License-Identifier: BSD-3-Clause
"""Quantize a model to int8 with ExecuTorch's Cortex-M quantizer (PT2E). Imports torch."""

from __future__ import annotations

import copy
import warnings
from dataclasses import dataclass
from typing import Any

from mcugen.base.errors import ConfigError, QuantizationError
from mcugen.base.explain import explain
from mcugen.base.quiet import quiet
from mcugen.export.calibration import Calibration, Progress
from mcugen.export.operators_traced import CapturedNode, TracedOperator
from mcugen.export.prepared import captured_for, channels_last, prepared_for
from mcugen.export.quantization import DEFAULTS, QuantizationOptions
from mcugen.model.source import Change, ModelSource


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
    prepared: Any = None  #: the graph with its observers, before conversion


def quantize(
    source: ModelSource,
    calibration: Calibration,
    options: QuantizationOptions = DEFAULTS,
    *,
    progress: Progress | None = None,
    verbose: bool = False,
) -> QuantizedProgram:
    """Return the model converted to int8 for the Cortex-M operators.

    4-D inputs and the model's weights are put in channels-last order first: traced in NCHW, every
    convolution would silently stay float.

    Raises QuantizationError if the model cannot be traced or converted; ConfigError if the options
    name a layer that it does not have.
    """
    with quiet(verbose=verbose), warnings.catch_warnings():
        if not verbose:
            warnings.simplefilter("ignore")
        try:
            return _quantize(source, calibration, options, progress)
        except (QuantizationError, ConfigError):
            raise
        except Exception as error:  # torch raises many types
            raise QuantizationError(f"{source.name}: {explain(error)}") from error


def _quantize(
    source: ModelSource,
    calibration: Calibration,
    options: QuantizationOptions,
    progress: Progress | None,
) -> QuantizedProgram:
    import torch
    from torchao.quantization.pt2e.quantize_pt2e import convert_pt2e

    from mcugen.export.captured.capture import TRACED
    from mcugen.export.changes import module_changes
    from mcugen.export.qat import NOTE, prepared_by_training, refuse_options

    trained = prepared_by_training(source.module)
    if trained is not None:
        refuse_options(source.name, options)
        prepared, quantizer = trained
    else:
        captured = captured_for(source, calibration)
        prepared, quantizer = prepared_for(captured, calibration, options, progress)
    traced = prepared.meta.get(TRACED, ())
    observed = copy.deepcopy(prepared)
    converted = convert_pt2e(prepared)
    return QuantizedProgram(
        name=source.name,
        program=torch.export.export(converted, channels_last(source.example_inputs)),
        sources=quantizer.sources,
        unquantized=quantizer.unquantized,
        calibration=calibration.provenance,
        calibration_samples=len(calibration.samples),
        calibration_random=calibration.random,
        notes=source.notes if trained is None else (*source.notes, NOTE),
        traced=traced,
        captured=quantizer.captured,
        changes=source.changes + module_changes(source.module, source.example_inputs),
        prepared=observed,
    )
