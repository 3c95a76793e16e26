# SPDX-License-Identifier: BSD-3-Clause
"""What quantizing does to each layer, as text for people."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mcugen.export.quantization import QuantizationOptions

if TYPE_CHECKING:
    from mcugen.flow.terminal import Painter

_HEAD = ("output", "chain", "alone", "range", "scale", "zero", "cut off", "at ends")
_NOTE = (
    "dB against float: of the model's output with only this layer quantized; of the layer's own",
    "values with every earlier layer quantized (chain), and with only this layer (alone).",
)


def layer_lines(quantization: dict[str, Any], painter: Painter) -> list[str]:
    """Return a table of all layers, worst first, and what to try for those that cost something."""
    layers = quantization["layers"]
    if not layers:
        return ["  layers        not measured: a .pte does not hold the model in float"]
    rows = [_HEAD, *(_cells(layer) for layer in layers)]
    names = ["layer", *(f"{layer['name']} {layer['operators']}" for layer in layers)]
    width = max(map(len, names))
    widths = [max(len(row[i]) for row in rows) for i in range(len(_HEAD))]
    lines = []
    for number, (name, row) in enumerate(zip(names, rows, strict=True)):
        cells = "  ".join(cell.rjust(size) for cell, size in zip(row, widths, strict=True))
        text = f"  {name:<{width}}  {cells}"
        lines.append(painter.paint(text, "bold") if number == 0 else text)
        if number:
            lines += _advice_lines(layers[number - 1], painter)
    return [*lines, "", *(f"  {line}" for line in _NOTE), f"  {_samples(quantization)}"]


def worst_line(quantization: dict[str, Any]) -> str | None:
    """Return which layers cost the model most, None where none is worth a word."""
    told = [layer for layer in quantization["layers"] if layer["advice"]][:3]
    return ", ".join(f"{layer['name']} ({_decibels(layer['effect_db'])})" for layer in told) or None


def tuning_lines(quantization: dict[str, Any]) -> list[str]:
    """Return what `--tune` tried, what it chose, and how to have that again without a search."""
    trials = quantization["trials"]
    if not trials:
        return []
    chosen = QuantizationOptions.from_json(quantization)
    lines = []
    for number, trial in enumerate(trials):
        options = QuantizationOptions.from_json(trial)
        top = "" if trial["top_class"] is None else f", top class {100 * trial['top_class']:.0f} %"
        text = f"{options.as_arguments or 'the defaults'}: {_decibels(trial['sqnr_db'])}{top}"
        mark = "  <- chosen" if options == chosen else ""
        lines.append(f"  {'' if number else 'tried':<14}{text}{mark}")
    if chosen.as_arguments:
        lines.append(f"  {'again':<14}{chosen.as_arguments}")
        lines.append(f"  {'mcugen.toml':<14}{chosen.as_toml[0]}")
        lines += [f"  {'':<14}{line}" for line in chosen.as_toml[1:]]
    return lines


def _samples(quantization: dict[str, Any]) -> str:
    method = quantization["calibration_method"]
    return f"Measured with {quantization['samples']} samples; calibrated by {method}."


def _advice_lines(layer: dict[str, Any], painter: Painter) -> list[str]:
    if not layer["advice"]:
        return []
    where = [f"in {layer['line']}"] if layer["line"] else []
    return [f"    {painter.paint('try', 'yellow')} {text}" for text in layer["advice"]] + [
        f"    {text}" for text in where
    ]


def _cells(layer: dict[str, Any]) -> tuple[str, ...]:
    return (
        _decibels(layer["effect_db"]),
        _decibels(layer["sqnr_db"]),
        _decibels(layer["alone_db"]),
        f"{layer['low']:.4g}..{layer['high']:.4g}",
        f"{layer['scale']:.4g}",
        str(layer["zero_point"]),
        f"{100 * layer['clipped']:.2f} %",
        f"{100 * layer['at_limits']:.1f} %",
    )


def _decibels(value: float | None) -> str:
    return "equal" if value is None else f"{value:.1f} dB"
