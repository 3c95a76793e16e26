# SPDX-License-Identifier: BSD-3-Clause
"""What the shell offers for an unfinished word. Never an error: no offer is the worst outcome."""

from __future__ import annotations

from mcugen.base.errors import McugenError
from mcugen.boards.upload import WAYS
from mcugen.export.quantization import MethodKind
from mcugen.flow.settings import IO_CHOICES, METRIC_CHOICES, OPTIMIZE_CHOICES


def boards(incomplete: str) -> list[tuple[str, str]]:
    """Return board ids and aliases with the board's name."""
    try:
        from mcugen.boards.load import list_boards

        pairs = [(name, b.name) for b in list_boards() for name in (b.id, *b.aliases)]
    except McugenError:
        return []
    return [pair for pair in pairs if pair[0].startswith(incomplete)]


def models(incomplete: str) -> list[tuple[str, str]]:
    """Return the bundled models; files are the shell's own business."""
    try:
        from mcugen.model.catalog import list_models

        pairs = [(model.name, model.description) for model in list_models()]
    except McugenError:
        return []
    return [pair for pair in pairs if pair[0].startswith(incomplete)]


def io_kinds(incomplete: str) -> list[str]:
    """Return the kinds of input and output."""
    return [kind for kind in IO_CHOICES if kind.startswith(incomplete)]


def levels(incomplete: str) -> list[str]:
    """Return the levels of optimization."""
    return [level for level in OPTIMIZE_CHOICES if level.startswith(incomplete)]


def metrics(incomplete: str) -> list[str]:
    """Return what models are judged by."""
    return [metric for metric in METRIC_CHOICES if metric.startswith(incomplete)]


def methods(incomplete: str) -> list[str]:
    """Return the ways in which ranges come from calibration data."""
    return [kind.value for kind in MethodKind if kind.value.startswith(incomplete)]


def ways(incomplete: str) -> list[str]:
    """Return the ways onto boards."""
    return [way for way in WAYS if way.startswith(incomplete)]


def ports(incomplete: str) -> list[tuple[str, str]]:
    """Return the serial ports that are attached."""
    return [pair for pair in devices(incomplete) if "/" in pair[0] or pair[0].startswith("COM")]


def devices(incomplete: str) -> list[tuple[str, str]]:
    """Return ports and probe serials that are attached."""
    try:
        from mcugen.boards.load import list_boards
        from mcugen.device.find import find_devices

        found = find_devices(list_boards())
    except (McugenError, ImportError, OSError):
        return []
    pairs = [(d.port, d.description) for d in found if d.port]
    pairs += [(d.serial, d.description) for d in found if d.serial and d.is_probe]
    return [pair for pair in pairs if pair[0].startswith(incomplete)]
