# SPDX-License-Identifier: BSD-3-Clause
"""What a build, a run, a verification, a profile or a look at a model found."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mcugen.flow.terminal import Painter, Plain

if TYPE_CHECKING:
    from mcugen.device.timing import Timing
    from mcugen.export.fidelity import Fidelity
    from mcugen.flow.building import Built

Text = Callable[[dict[str, Any], Painter], str]


@dataclass(frozen=True)
class Accuracy:
    """The share of labelled samples that are classified right, 0..1."""

    device: float | None
    int8_host: float | None  #: of the same program on the host
    float_model: float | None  #: of the PyTorch module


@dataclass(frozen=True)
class Memory:
    """Bytes. None for what only the compiler, or only a run, can tell."""

    flash_bytes: int | None  #: the image, with `.data`'s initial values
    flash_total: int | None
    ram_bytes: int | None  #: everything, stack included
    ram_total: int | None
    model_bytes: int  #: of the `.pte`
    planned_bytes: int  #: activations
    method_bytes: int
    temp_bytes: int
    io_bytes: int
    stack_bytes: int | None = None
    stack_peak_bytes: int | None = None  #: that was really used


@dataclass(frozen=True)
class Report:
    """The result of one function of mcugen; `print` shows it, a notebook shows it as a table.

    `verify`, `profile` and `run` take the report of a build in the place of a model.
    """

    document: dict[str, Any] = field(repr=False)
    text: Text = field(repr=False)
    warnings: tuple[str, ...]  #: what to look at, though it was built; one line each
    fidelity: Fidelity  #: how far the `.pte` is from the model in float
    timing: Timing | None = None  #: of whole inferences: instructions when simulated, else cycles
    built: Built | None = field(default=None, repr=False)  #: None where nothing was compiled

    @property
    def accuracy(self) -> Accuracy | None:
        """None where nothing was verified, or samples had no labels."""
        found = (self.document.get("verify") or {}).get("accuracy")
        if not found or all(value is None for value in found.values()):
            return None
        return Accuracy(found["device"], found["int8_host"], found["float"])

    @property
    def bit_exact(self) -> tuple[int, int] | None:
        """Samples that the device computed as the host in every byte, and all samples."""
        found = self.document.get("verify")
        return None if found is None else (found["bit_exact"], found["samples"])

    @property
    def memory(self) -> Memory:
        """What the image, or the model alone, takes, and what the board has."""
        firmware = self.document.get("firmware") or {}
        source = firmware or self.document["memory"]
        names = ("flash_bytes", "flash_total", "ram_bytes", "ram_total")
        return Memory(
            **{name: firmware.get(name) for name in names},
            model_bytes=firmware.get("model_bytes", self.document["model"]["pte_bytes"]),
            planned_bytes=source["planned_bytes"],
            method_bytes=source["method_bytes"],
            temp_bytes=source["temp_bytes"],
            io_bytes=source["io_bytes"],
            stack_bytes=firmware.get("stack_bytes"),
            stack_peak_bytes=firmware.get("stack_peak_bytes"),
        )

    @property
    def layers(self) -> list[dict[str, Any]]:
        """A row for each operator call: with `profile` what it took, else int8 or float, and why.

        As the document has it; `pandas.DataFrame(report.layers)` is a table.
        """
        rows = self.document.get("calls") or (self.document.get("lowering") or {}).get("operators")
        return copy.deepcopy(rows or self.document.get("operators") or [])

    @property
    def project(self) -> Path | None:
        """The folder of the PlatformIO project; None where nothing was generated."""
        path = self.document.get("project")
        return None if path is None else Path(path)

    def to_json(self) -> dict[str, Any]:
        """Return the document that the command line prints under --json."""
        return copy.deepcopy(self.document)

    def __str__(self) -> str:
        """Return the text that the command line prints."""
        return self.text(self.document, Plain())

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        """Show IPython in a terminal the text, too."""
        printer.text(str(self))

    def _repr_html_(self) -> str:
        from mcugen.api.html import report_html

        model, board = self.document["model"], self.document["board"]
        head = f"{model['name']} on {board['name']} ({board['id']}, {board['cpu']})"
        return report_html(head, _figures(self), self.warnings, self.layers, str(self))


def _figures(report: Report) -> list[tuple[str, str]]:
    from mcugen.flow.report.text import percent, share

    rows = [("fidelity", report.fidelity.summary)]
    if report.bit_exact is not None:
        exact, samples = report.bit_exact
        rows.insert(0, ("bit-exact", f"{exact} of {samples} samples"))
    if (found := report.accuracy) is not None:
        rows.append(
            (
                "accuracy",
                f"device {percent(found.device)}, host int8 {percent(found.int8_host)}, "
                f"float {percent(found.float_model)}",
            )
        )
    if report.timing is not None:
        rows.append((report.timing.counter, f"{report.timing.median:,} per inference"))
        if report.timing.latency_us is not None:
            rows.append(("latency", f"{report.timing.latency_us:,.1f} µs"))
    memory = report.memory
    if memory.flash_bytes is not None and memory.ram_bytes is not None:
        rows.append(("flash", share(memory.flash_bytes, memory.flash_total or 0)))
        rows.append(("RAM", share(memory.ram_bytes, memory.ram_total or 0)))
    else:
        rows.append(("planned memory", f"{memory.planned_bytes:,} B"))
        rows.append(("fits", "yes" if report.document.get("fits") else "no"))
    if report.project is not None:
        rows.append(("project", str(report.project)))
    return rows
