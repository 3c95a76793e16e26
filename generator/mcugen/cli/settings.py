# SPDX-License-Identifier: BSD-3-Clause
"""Options, `mcugen.toml` and defaults, put together."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mcugen.base.errors import ConfigError
from mcugen.cli.config import (
    DEFAULT_BOARD,
    DEFAULT_MODEL,
    Config,
    check_io,
    check_metric,
    check_optimize,
    load_config,
)
from mcugen.cli.options import Options
from mcugen.program.level import Level

if TYPE_CHECKING:
    from mcugen.boards.spec import BoardSpec
    from mcugen.device.protocol.client import Deadlines

DEFAULT_RUNS = 20
DEFAULT_WARMUPS = 3


@dataclass(frozen=True)
class Settings:
    """Options, `mcugen.toml` and defaults, put together."""

    root: Path
    model: str
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
    dim: tuple[str, ...] = ()  #: "x.1=30": sizes that a .pt2 leaves open
    level: Level = Level.BALANCED  #: --optimize
    data: str | None = None  #: labelled samples to verify with
    metric: str | None = None  #: of METRIC_CHOICES; None: by labels and outputs
    runtime: Path | None = None  #: install prefix of ExecuTorch's own libraries; None: ours

    @property
    def deadlines(self) -> Deadlines:
        """How long to wait for the device."""
        from mcugen.device.protocol.client import Deadlines

        if self.timeout_s is None:
            return Deadlines()
        return Deadlines(self.timeout_s, self.timeout_s, self.timeout_s)


def resolve(options: Options, *, cwd: Path | None = None) -> Settings:
    """Return the settings that apply. Raises ConfigError."""
    return resolve_with(options, load_config(cwd or Path.cwd()))


def resolve_with(options: Options, config: Config) -> Settings:
    from mcugen.boards.load import load_board

    def first(name: str, default: Any = None) -> Any:
        for source in (options, config):
            value = getattr(source, name)
            if value is not None:
                return value
        return default

    board = load_board(first("board", DEFAULT_BOARD))
    if options.io is not None:
        check_io(options.io)
    if options.optimize is not None:
        check_optimize(options.optimize)
    if options.metric is not None:
        check_metric(options.metric)
    simulate = bool(first("simulate", False)) or board.simulated_only
    # --device on the command line outranks simulate = true in the file.
    if options.device is not None and options.simulate is None and not board.simulated_only:
        simulate = False
    if options.device is not None and simulate:
        raise ConfigError(
            f"--device names a real device, but {board.id} "
            + ("only exists in QEMU" if board.simulated_only else "is to be simulated"),
            hint="Give one of --device and --simulate.",
        )
    if simulate and board.qemu is None:
        raise ConfigError(
            f"{board.id} has no QEMU machine",
            hint="'mcugen boards' shows which boards can be simulated.",
        )
    output = first("output")
    return Settings(
        root=config.root,
        model=first("model", DEFAULT_MODEL),
        board=board,
        io=first("io", "int8"),
        output=output.absolute() if output is not None else None,
        calibrate=first("calibrate"),
        strict=bool(first("strict", False)),
        simulate=simulate,
        device=None if simulate else first("device"),
        samples=first("samples"),
        runs=first("runs", DEFAULT_RUNS),
        warmups=first("warmups", DEFAULT_WARMUPS),
        timeout_s=first("timeout_s"),
        trust=options.trust,
        accept_loss=bool(first("accept_loss", False)),
        pixels=first("pixels"),
        dim=tuple(options.dim or config.dim or ()),
        level=Level(first("optimize", Level.BALANCED)),
        data=first("data"),
        metric=first("metric"),
        runtime=options.runtime,
    )
