# SPDX-License-Identifier: BSD-3-Clause
"""The options that subcommands share, each declared once."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from mcugen.boards.upload import WAYS
from mcugen.cli import completion

MODEL_HELP = "Bundled model, file.py:factory, .pt2 or .pte."


@dataclass(frozen=True)
class Options:
    """What the command line said; None where it said nothing."""

    model: Annotated[
        str | None,
        typer.Argument(
            metavar="[MODEL]",
            help=MODEL_HELP,
            autocompletion=completion.models,
            show_default=False,
        ),
    ] = None
    board: Annotated[
        str | None,
        typer.Option(
            "--board",
            "-b",
            help="Board id or alias ('mcugen boards'), or a file of your own, board.toml.",
            autocompletion=completion.boards,
            show_default=False,
        ),
    ] = None
    io: Annotated[
        str | None,
        typer.Option(
            "--io",
            metavar="int8|float",
            help="Type of the model's inputs and outputs (default int8).",
            autocompletion=completion.io_kinds,
            show_default=False,
        ),
    ] = None
    output: Annotated[
        Path | None,
        typer.Option(
            "--output-dir",
            "-o",
            metavar="DIR",
            help="Where the project goes (default mcugen_out/<model>-<board>).",
            show_default=False,
        ),
    ] = None
    calibrate: Annotated[
        str | None,
        typer.Option(
            "--calibrate",
            metavar="FILE.npz|FILE.npy|FILE.csv|tfds:NAME|DIR|random",
            help="Calibration data of a model of your own (docs/data.md).",
            show_default=False,
        ),
    ] = None
    pixels: Annotated[
        str | None,
        typer.Option(
            "--pixels",
            metavar="0..1|-1..1|0..255",
            help="What bytes in data stand for (default 0..1); or mcugen.toml's [preprocess].",
            show_default=False,
        ),
    ] = None
    calibration_method: Annotated[
        str | None,
        typer.Option(
            "--calibration-method",
            metavar="histogram|minmax|percentile[:P]",
            help="How ranges come from calibration data (default histogram).",
            autocompletion=completion.methods,
            show_default=False,
        ),
    ] = None
    calibration_samples: Annotated[
        int | None,
        typer.Option(
            "--calibration-samples",
            min=1,
            metavar="N",
            help="Samples to calibrate with (default 128; 16 of noise).",
            show_default=False,
        ),
    ] = None
    layer_method: Annotated[
        list[str] | None,
        typer.Option(
            "--layer-method",
            metavar="LAYER=METHOD",
            help="Another method for one layer, body.4=minmax; * stands for any text. "
            "May be repeated.",
            show_default=False,
        ),
    ] = None
    float_layer: Annotated[
        list[str] | None,
        typer.Option(
            "--float-layer",
            metavar="LAYER",
            help="Keep a layer in float, by the name of its module; * stands for any text. "
            "May be repeated.",
            show_default=False,
        ),
    ] = None
    max_drop: Annotated[
        float | None,
        typer.Option(
            "--max-drop",
            min=0,
            metavar="POINTS",
            help="Fail (exit 8) if int8 is more percentage points below float than that.",
            show_default=False,
        ),
    ] = None
    tune: Annotated[
        bool, typer.Option("--tune", help="Try methods and layers in float for the best int8.")
    ] = False
    dim: Annotated[
        list[str] | None,
        typer.Option(
            "--dim",
            metavar="NAME=N",
            help="Size of a .pt2's dynamic axis: input and axis, x.1=30. May be repeated.",
            show_default=False,
        ),
    ] = None
    optimize: Annotated[
        str | None,
        typer.Option(
            "--optimize",
            metavar="size|balanced|speed",
            help="What the image is made for (default balanced); speed may double the weights.",
            autocompletion=completion.levels,
            show_default=False,
        ),
    ] = None
    strict: Annotated[
        bool | None,
        typer.Option(
            "--strict", help="Refuse operators that fall back to float.", show_default=False
        ),
    ] = None
    accept_loss: Annotated[
        bool | None,
        typer.Option(
            "--accept-loss",
            help="Take a model whose int8 form is far from its float form.",
            show_default=False,
        ),
    ] = None
    simulate: Annotated[
        bool | None,
        typer.Option("--simulate", help="Run on the board's QEMU machine.", show_default=False),
    ] = None
    device: Annotated[
        str | None,
        typer.Option(
            "--device",
            metavar="SERIAL|PORT|FOLDER",
            help="Which attached device: serial or own port of its probe, or of its boot loader, "
            "or that one's volume.",
            autocompletion=completion.devices,
            show_default=False,
        ),
    ] = None
    port: Annotated[
        str | None,
        typer.Option(
            "--port",
            metavar="PORT",
            help="The board's console, where it is not the port of its probe; --device names "
            "the probe then.",
            autocompletion=completion.ports,
            show_default=False,
        ),
    ] = None
    way: Annotated[
        str | None,
        typer.Option(
            "--with",
            metavar="|".join(WAYS),
            help="How to flash (default: the board's first way that is attached and installed).",
            autocompletion=completion.ways,
            show_default=False,
        ),
    ] = None
    data: Annotated[
        str | None,
        typer.Option(
            "--data",
            metavar="FILE.npz|FILE.csv|tfds:NAME/SPLIT|DIR",
            help="Labelled samples to verify with (default: the model's own, else random inputs).",
            show_default=False,
        ),
    ] = None
    metric: Annotated[
        str | None,
        typer.Option(
            "--metric",
            metavar="accuracy|auc|regression|none",
            help="What the model is judged by (default: by labels and outputs).",
            autocompletion=completion.metrics,
            show_default=False,
        ),
    ] = None
    samples: Annotated[
        int | None,
        typer.Option(
            "--samples",
            min=1,
            metavar="N",
            help="Samples to verify (default 256 labelled ones, or as many as there are; "
            "16 random ones for a model without data).",
            show_default=False,
        ),
    ] = None
    runs: Annotated[
        int | None,
        typer.Option(
            "--runs", min=1, metavar="N", help="Timed runs (default 20).", show_default=False
        ),
    ] = None
    warmups: Annotated[
        int | None,
        typer.Option(
            "--warmups",
            min=0,
            metavar="N",
            help="Runs before those (default 3).",
            show_default=False,
        ),
    ] = None
    timeout_s: Annotated[
        float | None,
        typer.Option(
            "--timeout",
            min=0.1,
            metavar="SECONDS",
            help="How long to wait for each of the device's answers.",
            show_default=False,
        ),
    ] = None
    runtime: Annotated[
        Path | None,
        typer.Option(
            "--runtime",
            metavar="PREFIX",
            help="Link ExecuTorch's own libraries from this install prefix.",
            show_default=False,
        ),
    ] = None
    trust: Annotated[
        bool, typer.Option("--trust", help="Let a .pt2 of your own run code while it is loaded.")
    ] = False


#: How a model becomes int8.
QUANTIZING = (
    "calibrate",
    "pixels",
    "calibration_method",
    "calibration_samples",
    "layer_method",
    "float_layer",
    "tune",
)
#: Most subcommands take these, in this order.
BUILDING = (
    "model",
    "board",
    "output",
    "io",
    *QUANTIZING,
    "dim",
    "optimize",
    "strict",
    "accept_loss",
    "trust",
)
TARGET = ("simulate", "device", "port", "way")

RunnerOption = Annotated[
    bool, typer.Option("--runner", help="The generic image that takes models by 'mcugen push'.")
]
RequiredModel = Annotated[
    str, typer.Argument(metavar="MODEL", help=MODEL_HELP, autocompletion=completion.models)
]
