# SPDX-License-Identifier: BSD-3-Clause
"""The exception tree. Each class carries the exit code the command line ends with.

A message says what, where and how much; `hint` says what to do next.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any


class McugenError(Exception):
    """Base of every error a user is meant to read."""

    exit_code = 1

    def __init__(
        self, message: str, *, hint: str | None = None, log_path: Path | None = None
    ) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.log_path = log_path


class ConfigError(McugenError):
    """Unknown board, model, key or option value; an input file that does not suit."""

    exit_code = 2


class LockError(ConfigError):
    """`--locked`, and something is not as `mcugen.lock` says, or there is no lock."""


class ToolMissingError(McugenError):
    """A program or package that the host needs is not installed."""

    exit_code = 3


class DoesNotFitError(McugenError):
    """The model needs more flash or RAM than the board has."""

    exit_code = 4


class ExportError(McugenError):
    """Base of all that goes wrong between a PyTorch model and a usable `.pte`."""

    exit_code = 5


class QuantizationError(ExportError):
    """Calibration or int8 conversion failed."""


class LoweringError(ExportError):
    """ExecuTorch's lowering failed, or `--strict` met a float fallback."""


class UnsupportedOperatorError(ExportError):
    """The program calls an operator the firmware does not have."""


class PteError(ExportError):
    """A `.pte` is truncated, damaged, of another schema, or inconsistent."""


class BuildError(McugenError):
    """PlatformIO, the compiler or the linker failed."""

    exit_code = 6


class TemplateError(BuildError):
    """A project could not be generated, or its files were edited by hand."""


class FlashError(McugenError):
    """No device, several devices, or a probe that failed."""

    exit_code = 7


class DeviceError(McugenError):
    """The device answered with an error, or its serial port cannot be used."""

    exit_code = 7


class DisconnectedError(DeviceError):
    """The port, or the simulator behind it, is gone or does not open."""


class ProtocolError(DeviceError):
    """The device's answer does not follow docs/protocol.md."""


class OutputMismatchError(McugenError):
    """The device does not compute what the host computes.

    report: of the Python API, what was found.
    """

    exit_code = 8
    report: Any = None


class AccuracyError(McugenError):
    """The int8 model is further below the model in float than `--max-drop` allows.

    report: of the Python API, what was found.
    """

    exit_code = 8
    report: Any = None


class RegressionError(McugenError):
    """A result is further from an earlier one than the policy of `compare` allows."""

    exit_code = 8


class DeviceTimeoutError(McugenError):
    """The device fell silent."""

    exit_code = 9
