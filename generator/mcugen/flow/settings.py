# SPDX-License-Identifier: BSD-3-Clause
"""What a build is made of, and what is done with it; defaults where nothing is said."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mcugen.base.errors import ConfigError
from mcugen.boards.upload import WAYS
from mcugen.export.quantization import DEFAULTS, QuantizationOptions
from mcugen.program.level import Level

if TYPE_CHECKING:
    from mcugen.boards.spec import BoardSpec
    from mcugen.device.protocol.client import Deadlines
    from mcugen.model.description import Model
    from mcugen.model.preprocess import Preprocess

DEFAULT_MODEL = "digits"
DEFAULT_BOARD = "nucleo"
IO_CHOICES = ("int8", "float")
OPTIMIZE_CHOICES = tuple(level.value for level in Level)
METRIC_CHOICES = ("accuracy", "auc", "regression", "none")
DEFAULT_RUNS = 20
DEFAULT_WARMUPS = 3


@dataclass(frozen=True)
class Settings:
    """All that the stages are told."""

    root: Path
    model: str | Model
    board: BoardSpec
    io: str
    output: Path | None
    calibrate: str | None
    strict: bool
    simulate: bool
    device: str | None
    samples: int | None
    runs: int
    warmups: int
    timeout_s: float | None
    trust: bool = False  #: a .pt2 may run code while it is loaded
    accept_loss: bool = False
    pixels: str | None = None
    preprocess: Preprocess | None = None  #: from stored samples to what the model takes
    dim: tuple[str, ...] = ()  #: "x.1=30": sizes that a .pt2 leaves open
    quantization: QuantizationOptions = DEFAULTS
    tune: bool = False  #: the options above are where a search begins
    max_drop: float | None = None  #: percentage points that int8 may be below float
    level: Level = Level.BALANCED  #: --optimize
    data: str | None = None  #: labelled samples to verify with
    metric: str | None = None  #: of METRIC_CHOICES; None: by labels and outputs
    port: str | None = None  #: the board's console, where it is not its probe's own
    way: str | None = None  #: of `boards.upload.WAYS`; None: by what is attached and installed
    runtime: Path | None = None  #: install prefix of ExecuTorch's own libraries; None: ours

    @property
    def deadlines(self) -> Deadlines:
        """How long to wait for the device."""
        from mcugen.device.protocol.client import Deadlines

        if self.timeout_s is None:
            return Deadlines()
        return Deadlines(self.timeout_s, self.timeout_s, self.timeout_s)


def settle(
    given: Mapping[str, Any],
    root: Path,
    *,
    usual_device: str | None = None,
    prefix: str = "--",
) -> Settings:
    """Return settings: what is given by the name of its option, else the default.

    Args:
        given: None, or left out, where nothing is said. model, board, io, output, calibrate,
            strict, simulate, device, port, way, samples, runs, warmups, timeout_s, trust,
            accept_loss, pixels, preprocess, dim, optimize, data, metric, runtime,
            calibration_method, calibration_samples, layer_method, float_layer, tune, max_drop.
        root: the folder in which `mcugen_out` lies.
        usual_device: the device where none is given and nothing is simulated.
        prefix: what stands before an option's name in messages.

    Raises ConfigError.
    """
    from mcugen.boards.load import check_way, load_board, simulator_hint

    def first(name: str, default: Any = None) -> Any:
        value = given.get(name)
        return default if value is None else value

    board = load_board(first("board", DEFAULT_BOARD))
    io = check_io(first("io", "int8"), where=f"{prefix}io")
    level = check_optimize(first("optimize", Level.BALANCED.value), where=f"{prefix}optimize")
    metric = first("metric")
    if metric is not None:
        check_metric(metric, where=f"{prefix}metric")
    simulate = bool(first("simulate", False)) or board.simulated_only
    device = first("device")
    if device is not None and simulate:
        raise ConfigError(
            f"{prefix}device names a real device, but {board.id} "
            + ("only exists in QEMU" if board.simulated_only else "is to be simulated"),
            hint=f"Give one of {prefix}device and {prefix}simulate.",
        )
    way = first("way")
    if way is not None:
        _one_of(way, WAYS, f"{prefix}with")
        if not board.simulated_only:
            check_way(board, way)
    for name, value in (("port", first("port")), ("with", way)):
        if value is not None and simulate:
            raise ConfigError(
                f"{prefix}{name} is for a real {board.id}, which is to be simulated"
                if not board.simulated_only
                else f"{prefix}{name} is for a real board, and {board.id} only exists in QEMU"
            )
    if simulate and board.qemu is None:
        raise ConfigError(
            f"{board.id} cannot be simulated: QEMU has no machine with its {board.mcu}",
            hint=simulator_hint(board),
        )
    output = first("output")
    return Settings(
        root=root,
        model=first("model", DEFAULT_MODEL),
        board=board,
        io=io,
        output=Path(output).absolute() if output is not None else None,
        calibrate=first("calibrate"),
        strict=bool(first("strict", False)),
        simulate=simulate,
        device=device if device is not None or simulate else usual_device,
        port=first("port"),
        way=way,
        samples=first("samples"),
        runs=first("runs", DEFAULT_RUNS),
        warmups=first("warmups", DEFAULT_WARMUPS),
        timeout_s=first("timeout_s"),
        trust=bool(first("trust", False)),
        accept_loss=bool(first("accept_loss", False)),
        pixels=first("pixels"),
        preprocess=first("preprocess"),
        dim=tuple(first("dim", ())),
        quantization=QuantizationOptions.parse(
            first("calibration_method"),
            first("calibration_samples"),
            first("layer_method", ()),
            first("float_layer", ()),
        ),
        tune=bool(first("tune", False)),
        max_drop=first("max_drop"),
        level=Level(level),
        data=first("data"),
        metric=metric,
        runtime=first("runtime"),
    )


def check_io(value: str, *, where: str = "--io") -> str:
    """Return `value` if it is one of IO_CHOICES. Raises ConfigError."""
    return _one_of(value, IO_CHOICES, where)


def check_optimize(value: str, *, where: str = "--optimize") -> str:
    """Return `value` if it is one of OPTIMIZE_CHOICES. Raises ConfigError."""
    return _one_of(value, OPTIMIZE_CHOICES, where)


def check_metric(value: str, *, where: str = "--metric") -> str:
    """Return `value` if it is one of METRIC_CHOICES. Raises ConfigError."""
    return _one_of(value, METRIC_CHOICES, where)


def _one_of(value: str, choices: Sequence[str], where: str) -> str:
    if value not in choices:
        match = nearest(value, choices)
        raise ConfigError(
            f"{where} must be {' or '.join(choices)}, not '{value}'"
            + (f"; did you mean '{match}'?" if match else "")
        )
    return value


def nearest(word: str, choices: Sequence[str]) -> str | None:
    """Return the choice a user most likely meant, or None."""
    found = difflib.get_close_matches(word.lower(), list(choices), n=1, cutoff=0.55)
    return found[0] if found else None
