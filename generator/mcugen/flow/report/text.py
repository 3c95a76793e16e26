# SPDX-License-Identifier: BSD-3-Clause
"""Results as text for people, made from the documents."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mcugen.export.quantization import HISTOGRAM
from mcugen.flow.paths import show_path
from mcugen.flow.report.hardware import about, clock_text, flash_text, placement_texts
from mcugen.flow.report.judgement import judgement_rows
from mcugen.flow.report.layers import layer_lines, tuning_lines, worst_line
from mcugen.flow.report.lowering import change_lines, float_lines, operators_lines

if TYPE_CHECKING:
    from mcugen.flow.terminal import Painter


def count(value: float) -> str:
    """Return a number with its thousands separated."""
    return f"{value:,}" if isinstance(value, int) else f"{value:,.1f}"


def share(used: int, total: int) -> str:
    """Return "12,345 of 131,072 B (9 %)"."""
    percent = f" ({100 * used / total:.0f} %)" if total else ""
    return f"{used:,} of {total:,} B{percent}"


def percent(value: float | None) -> str:
    """Return an accuracy for people, "-" where there is none."""
    return "-" if value is None else f"{100 * value:.2f} %"


def measurement_text(document: dict[str, Any], painter: Painter) -> str:
    """Return a measurement document for people."""
    board, firmware = document["board"], document["firmware"]
    where = (
        f"QEMU {board['qemu_machine']}, counts instructions"
        if board["simulated"]
        else f"on hardware, {clock_text(board)} from {board['clock_source']}{flash_text(board)}"
    )
    head = (
        f"{document['model']['name']} on {board['name']} ({board['id']}, {board['cpu']}; {where})"
    )
    lines = [painter.paint(head, "bold"), ""]
    if verify := document.get("verify"):
        lines += _verify_lines(verify, painter)
    if fidelity := document.get("fidelity"):
        lines.append(_row("fidelity", fidelity["summary"]))
    if quantization := document.get("quantization"):
        lines += _quantization_lines(quantization)
    if timing := document.get("timing"):
        lines += _timing_lines(timing, document["model"]["macs"], board)
    lines += memory_lines(firmware, document.get("device"))
    lines += operator_lines(document["operators"], painter)
    lines += [
        "",
        _row("firmware", f"{firmware['id']}, {firmware['toolchain']}"),
        _row("project", show_path(document["project"])),
        _row("transcript", show_path(document["transcript"])),
    ]
    return "\n".join(lines)


def _row(name: str, value: str) -> str:
    return f"  {name:<14}{value}"


def _verify_lines(verify: dict[str, Any], painter: Painter) -> list[str]:
    samples, exact = verify["samples"], verify["bit_exact"]
    if exact == samples:
        words = painter.paint(f"{exact} of {samples} samples equal in every byte", "green")
    elif verify["within_tolerance"] == samples:
        words = painter.paint(
            f"{exact} of {samples} samples equal in every byte, the others within "
            f"{verify['max_step']:g}: {len(verify['float_operators'])} operators compute in float",
            "green",
        )
    else:
        words = painter.paint(
            f"{exact} of {samples} samples equal, largest difference {verify['max_step']:g}", "red"
        )
    return [_row("bit-exact", words), *(_row(*each) for each in judgement_rows(verify))]


def _timing_lines(timing: dict[str, Any], macs: int, board: dict[str, Any]) -> list[str]:
    unit = timing["counter"]
    per_mac = f", {timing['median'] / macs:.2f} per MAC" if macs else ""
    lines = [_row(unit, f"{timing['median']:,} per inference (median{per_mac})")]
    lines.append(
        _row(
            "",
            f"min {timing['min']:,}, p99 {timing['p99']:,}, max {timing['max']:,}; "
            f"{timing['runs']} runs after {timing['warmups']} warm-ups",
        )
    )
    if timing["latency_us"] is not None:
        lines.append(
            _row("latency", f"{timing['latency_us']:,.1f} µs{about(board)} at {clock_text(board)}")
        )
    return lines


def memory_lines(firmware: dict[str, Any], device: dict[str, Any] | None = None) -> list[str]:
    """Return flash and RAM, used and total, and what they are used for."""
    lines = [
        "",
        _row("flash", share(firmware["flash_bytes"], firmware["flash_total"])),
        _row("", f"engine {firmware['engine_bytes']:,}, model {firmware['model_bytes']:,}"),
        _row("RAM", share(firmware["ram_bytes"], firmware["ram_total"])),
    ]
    used = device["memory"] if device else {}
    parts = []
    for name, key in (
        ("planned", "planned_bytes"),
        ("method", "method_bytes"),
        ("temp", "temp_bytes"),
        ("I/O", "io_bytes"),
    ):
        pool = used.get(name.lower().replace("/", ""))
        peak = f" ({pool[0]:,} used)" if pool and pool[0] != pool[1] else ""
        parts.append(f"{name} {firmware[key]:,}{peak}")
    parts[0] += _bound(firmware)
    parts.append(f"static {firmware['static_ram_bytes']:,}")
    peak = firmware["stack_peak_bytes"]
    parts.append(
        f"stack {firmware['stack_bytes']:,}" + (f" (peak {peak:,})" if peak is not None else "")
    )
    lines.append(_row("", ", ".join(parts)))
    return lines + [_row("", each) for each in placement_texts(firmware["regions"])]


def _bound(memory: dict[str, Any]) -> str:
    """Return how little planned memory any plan of the same tensors could do with."""
    bound = memory["planned_bound_bytes"]
    return "" if bound is None else f" (no plan below {bound:,})"


def operator_lines(operators: list[dict[str, Any]], painter: Painter) -> list[str]:
    """Return one line per operator: calls, int8 or float."""
    width = max((len(row["name"]) for row in operators), default=0)
    lines = [""]
    for number, row in enumerate(operators):
        kind = "int8" if row["int8"] else painter.paint("float", "yellow")
        text = f"{row['name']:<{width}}  {row['calls']:>3} x  {kind}"
        lines.append(_row("operators" if number == 0 else "", text))
    return lines


def build_text(document: dict[str, Any], painter: Painter) -> str:
    """Return the document of `build` for people."""
    board, firmware = document["board"], document["firmware"]
    head = f"{document['model']['name']} for {board['name']} ({board['id']}, {board['cpu']})"
    return "\n".join(
        [
            painter.paint(head, "bold"),
            "",
            _row("fidelity", document["fidelity"]["summary"]),
            *_quantization_lines(document["quantization"]),
            *memory_lines(firmware),
            *operator_lines(document["operators"], painter),
            "",
            _row("firmware", f"{firmware['id']}, {firmware['toolchain']}"),
            _row("project", show_path(document["project"])),
            _row("image", show_path(firmware["elf"])),
            *(float_lines(document["lowering"], painter) if document["lowering"] else []),
        ]
    )


def inspect_text(
    document: dict[str, Any], painter: Painter, *, operators: bool = False, layers: bool = False
) -> str:
    """Return the document of `inspect` for people.

    operators: with all of the user's. layers: with what int8 costs each of them.
    """
    model, board, memory = document["model"], document["board"], document["memory"]
    lowering = document["lowering"]
    made_for = f", lowered for {model['isa']}" if model["isa"] else ""
    lines = [
        painter.paint(f"{model['name']} ({model['pte_bytes']:,} B{made_for})", "bold"),
        "",
        _row("sha256", model["sha256"]),
        _row("MACs", f"{model['macs']:,}"),
    ]
    for what in ("inputs", "outputs"):
        for spec in model[what]:
            lines.append(_row(what[:-1], _tensor_text(spec)))
    if model["stripped_bytes"]:
        lines.append(_row("stripped", f"{model['stripped_bytes']:,} B that nothing uses"))
    if lowering["calibration"]:
        lines.append(
            _row(
                "calibration",
                f"{lowering['calibration']}, {lowering['calibration_samples']} samples"
                + (" (random: the ranges mean nothing)" if lowering["calibration_random"] else ""),
            )
        )
    lines += fidelity_lines(document["fidelity"])
    lines += _quantization_lines(document["quantization"])
    if layers:
        lines += ["", *layer_lines(document["quantization"], painter)]
    lines += operator_lines(document["operators"], painter)
    changes = change_lines(lowering)
    lines += ["", *(_row("changed" if not i else "", each) for i, each in enumerate(changes))]
    lines += [
        "",
        _row(
            "memory",
            f"planned {memory['planned_bytes']:,}{_bound(memory)}, "
            f"method {memory['method_bytes']:,}, "
            f"temp {memory['temp_bytes']:,}, I/O {memory['io_bytes']:,} B",
        ),
    ]
    if document["fits"]:
        lines.append(_row("fits", f"{board['name']} ({board['id']}); at most, before compiling:"))
        for region in document["regions"]:
            text = share(region["planned_bytes"], region["total_bytes"])
            lines.append(_row("", f"{region['name']:<8} {text}"))
        lines += [_row("", each) for each in placement_texts(document["regions"])]
    else:
        shortage = painter.paint(f"does not fit {board['id']}: ", "red") + document["shortage"]
        lines.append(_row("fits", shortage))
        if document.get("hint"):
            lines.append(_row("", document["hint"]))
    if operators:
        lines += operators_lines(lowering, painter)
    lines += float_lines(lowering, painter)
    return "\n".join(lines)


def fidelity_lines(fidelity: dict[str, Any]) -> list[str]:
    """Return how far the program is from the model in float, a line for each output."""
    lines = [_row("fidelity", fidelity["summary"])]
    for output in fidelity["outputs"]:
        parts = [decibels(output["sqnr_db"]), f"largest error {output['max_error']:.3g}"]
        if output["top_class"] is not None:
            parts.append(f"top class {percent(output['top_class'])}")
        if output["at_limits"]:
            parts.append(f"{percent(output['at_limits'])} at the limits of int8")
        lines.append(_row("", f"{output['name']}: {', '.join(parts)}"))
        if output["columns"]:
            columns = ", ".join(decibels(each["sqnr_db"]) for each in output["columns"])
            lines.append(_row("", f"  by column: {columns}"))
    for each in fidelity["inputs"]:
        if each["at_limits"]:
            share_at_limits = percent(each["at_limits"])
            lines.append(_row("", f"{each['name']}: {share_at_limits} at the limits of int8"))
    if fidelity["outputs"]:
        lines.append(_row("", f"{fidelity['samples']} samples of {fidelity['data']}"))
    return lines


def _quantization_lines(quantization: dict[str, Any]) -> list[str]:
    """Return what was chosen beside the defaults, and which layers cost the model most."""
    lines = []
    chosen = [*quantization["layer_method"]]
    chosen += [f"{name} in float" for name in quantization["float_layer"]]
    if quantization["calibration_method"] != str(HISTOGRAM) or chosen:
        chosen.insert(0, quantization["calibration_method"])
        lines.append(_row("ranges", ", ".join(chosen)))
    lines += tuning_lines(quantization)
    worst = worst_line(quantization)
    if worst is not None:
        lines.append(_row("worst layers", f"{worst}; mcugen inspect --layers says what to try"))
    return lines


def decibels(value: float | None) -> str:
    """Return a ratio for people; None is that of no difference at all."""
    return "equal" if value is None else f"{value:.1f} dB"


def _tensor_text(spec: dict[str, Any]) -> str:
    shape = ", ".join(map(str, spec["shape"]))
    text = f"{spec['name']}: {spec['dtype']} [{shape}], {spec['bytes']:,} B"
    if spec["dim_order"] != sorted(spec["dim_order"]):
        memory = ", ".join(str(spec["shape"][axis]) for axis in spec["dim_order"])
        text += f", in memory [{memory}]"
    if spec["scale"] is not None:
        text += f", real = {spec['scale']:.6g} * (q - {spec['zero_point']})"
    return text
