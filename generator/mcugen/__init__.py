# SPDX-License-Identifier: BSD-3-Clause
"""PyTorch model in, measured and number-checked Cortex-M firmware out.

    import mcugen

    model = mcugen.Model(module, example_inputs, calibration)
    report = mcugen.run(model, board="nucleo", simulate=True)
    print(report)

docs/python.md tells the rest. Nothing is imported until it is asked for.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mcugen.api.functions import build, inspect, profile, run, verify
    from mcugen.api.report import Accuracy, Memory, Report
    from mcugen.base.errors import (
        AccuracyError,
        BuildError,
        ConfigError,
        DeviceError,
        DeviceTimeoutError,
        DisconnectedError,
        DoesNotFitError,
        ExportError,
        FlashError,
        LockError,
        LoweringError,
        McugenError,
        OutputMismatchError,
        ProtocolError,
        PteError,
        QuantizationError,
        RegressionError,
        TemplateError,
        ToolMissingError,
        UnsupportedOperatorError,
    )
    from mcugen.export.qat import qat
    from mcugen.model.description import Model
    from mcugen.model.preprocess import Preprocess

__version__ = "0.1.0"

_WHERE = {
    "Model": "mcugen.model.description",
    "Preprocess": "mcugen.model.preprocess",
    "qat": "mcugen.export.qat",
    **dict.fromkeys(("build", "inspect", "profile", "run", "verify"), "mcugen.api.functions"),
    **dict.fromkeys(("Accuracy", "Memory", "Report"), "mcugen.api.report"),
}

__all__ = [
    "Accuracy",
    "AccuracyError",
    "BuildError",
    "ConfigError",
    "DeviceError",
    "DeviceTimeoutError",
    "DisconnectedError",
    "DoesNotFitError",
    "ExportError",
    "FlashError",
    "LockError",
    "LoweringError",
    "McugenError",
    "Memory",
    "Model",
    "OutputMismatchError",
    "Preprocess",
    "ProtocolError",
    "PteError",
    "QuantizationError",
    "RegressionError",
    "Report",
    "TemplateError",
    "ToolMissingError",
    "UnsupportedOperatorError",
    "build",
    "inspect",
    "profile",
    "qat",
    "run",
    "verify",
]


def __getattr__(name: str) -> Any:
    """Import what is asked for, once."""
    if name not in __all__:
        raise AttributeError(f"module 'mcugen' has no attribute '{name}'")
    value = getattr(importlib.import_module(_WHERE.get(name, "mcugen.base.errors")), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
