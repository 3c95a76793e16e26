# SPDX-License-Identifier: BSD-3-Clause
"""The document of `compare-runtimes` for people."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from mcugen.flow.paths import show_path

if TYPE_CHECKING:
    from mcugen.flow.terminal import Painter

#: Of a pool or the stack: its size, and what was used of it.
_POOLS = (("planned", "planned"), ("method", "method"), ("temp", "temp"), ("I/O", "io"))


def comparison_text(document: dict[str, Any], painter: Painter) -> str:
    """Return what each runtime costs, side by side, and whether both compute the same."""
    board, both = document["board"], document["runtimes"]
    where = f"QEMU {board['qemu_machine']}" if board["simulated"] else "on hardware"
    samples, equal = document["samples"], document["equal_samples"]
    words = f"{equal} of {samples} samples equal in every byte"
    head = f"{document['model']['name']} on {board['name']} ({board['id']}; {where})"
    lines = [
        painter.paint(head, "bold"),
        "",
        _line("", "mcugen", "ExecuTorch"),
        _line("equal to host", *(_verified(each) for each in both.values())),
        _line(
            both["mcugen"]["timing"]["counter"],
            *(f"{each['timing']['median']:,}" for each in both.values()),
        ),
        *_memory_lines(list(both.values())),
        "",
        f"  {'both':<16}{painter.paint(words, 'green' if equal == samples else 'red')}",
        f"  {'PREFIX':<16}{document['prefix']}",
        *(f"  {name:<16}{show_path(each['project'])}" for name, each in both.items()),
    ]
    return "\n".join(line.rstrip() for line in lines)


def _memory_lines(both: list[dict[str, Any]]) -> Iterator[str]:
    def sizes(key: str) -> list[str]:
        return [f"{each['firmware'][key]:,}" for each in both]

    yield _line("flash", *sizes("flash_bytes"))
    yield _line("  engine", *sizes("engine_bytes"))
    yield _line("  model", *sizes("model_bytes"))
    yield _line("RAM", *sizes("ram_bytes"))
    for name, key in _POOLS:
        yield _line(f"  {name}", *(_used(each, key) for each in both))
    yield _line("  static", *sizes("static_ram_bytes"))
    yield _line("  stack", *(_used(each, "stack") for each in both))


def _used(runtime: dict[str, Any], pool: str) -> str:
    size = runtime["firmware"][f"{pool}_bytes"]
    use = runtime["device"]["memory"].get(pool)
    return f"{size:,}" + (f" ({use[0]:,} used)" if use and use[0] != size else "")


def _verified(runtime: dict[str, Any]) -> str:
    verify = runtime["verify"]
    return f"{verify['bit_exact']} of {verify['samples']}"


def _line(name: str, *columns: str) -> str:
    return f"  {name:<16}" + "".join(f"{column:>24}" for column in columns)
