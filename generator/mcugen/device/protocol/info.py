# SPDX-License-Identifier: BSD-3-Clause
"""The answer to `mcugen info%`."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, TypeVar

from mcugen.base.errors import ProtocolError
from mcugen.device.protocol.frames import PROTOCOL_VERSION


@dataclass(frozen=True)
class PoolUse:
    """How much of a memory pool is in use, as the device reports it."""

    used_bytes: int
    total_bytes: int


@dataclass(frozen=True)
class DeviceInfo:
    """The answer to `mcugen info%`."""

    protocol: int
    firmware_id: str
    board: str
    model: str
    pte_sha256: str
    pte_bytes: int
    method: str
    clock_hz: int
    clock_source: str
    counter: str
    counter_hz: int
    empty_ticks: int
    state: str
    error: str | None
    memory: dict[str, PoolUse]
    inputs: tuple[tuple[int, int], ...]
    outputs: tuple[tuple[int, int], ...]
    reset: str | None = None
    #: How flash is read: wait_states, and whether prefetch, icache and dcache are on.
    flash: dict[str, int | bool] | None = None
    #: Of a runner: the most bytes a `.pte` may have, the CRC-32 of the one that is loaded, and
    #: where in the arena its staged inputs lie.
    runner: int | None = None
    pte_crc32: int | None = None
    io_offset: int | None = None


_INFO_INTS = ("protocol", "pte_bytes", "clock_hz", "counter_hz", "empty_ticks")
_INFO_TEXTS = (
    "firmware_id",
    "board",
    "model",
    "pte_sha256",
    "method",
    "clock_source",
    "counter",
    "state",
)


def parse_info(text: str) -> DeviceInfo:
    """Return the device's description from the JSON of `m-mcugen-info-{…}`.

    Unknown keys are ignored, so that newer firmware stays readable.
    Raises ProtocolError if it is not JSON, of another protocol version, or a key is missing.
    """
    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ProtocolError(f"mcugen info% did not answer with JSON: {error}") from None
    if not isinstance(document, dict):
        raise ProtocolError("mcugen info% did not answer with a JSON object")
    version = document.get("protocol")
    if version != PROTOCOL_VERSION:
        raise ProtocolError(
            f"the device speaks protocol {version}; this mcugen speaks {PROTOCOL_VERSION}",
            hint="Build and flash the firmware with this version of mcugen.",
        )
    values: dict[str, Any] = {}
    try:
        for key in _INFO_INTS:
            values[key] = _typed(document[key], int)
        for key in _INFO_TEXTS:
            values[key] = _typed(document[key], str)
        error_text = document.get("error")
        values["error"] = None if error_text is None else _typed(error_text, str)
        reset = document.get("reset")
        values["reset"] = None if reset is None else _typed(reset, str)
        flash = document.get("flash")
        values["flash"] = None if flash is None else _flash(flash)
        for key in ("runner", "pte_crc32", "io_offset"):
            number = document.get(key)
            values[key] = None if number is None else _typed(number, int)
        values["memory"] = {
            str(name): PoolUse(_typed(pair[0], int), _typed(pair[1], int))
            for name, pair in document["memory"].items()
        }
        for key in ("inputs", "outputs"):
            values[key] = tuple(
                (_typed(code, int), _typed(size, int)) for code, size in document[key]
            )
    except (KeyError, IndexError, AttributeError, TypeError, ValueError) as error:
        what = f"key {error}" if isinstance(error, KeyError) else str(error)
        raise ProtocolError(f"mcugen info% answered without a usable {what}") from None
    return DeviceInfo(**values)


def _flash(table: dict[str, Any]) -> dict[str, int | bool]:
    flash: dict[str, int | bool] = {"wait_states": _typed(table["wait_states"], int)}
    for key in ("prefetch", "icache", "dcache"):
        if not isinstance(table[key], bool):
            raise TypeError(f"bool (got {table[key]!r})")
        flash[key] = table[key]
    return flash


_T = TypeVar("_T")


def _typed(value: object, kind: type[_T]) -> _T:
    if not isinstance(value, kind) or isinstance(value, bool):
        raise TypeError(f"{kind.__name__} (got {value!r})")
    return value
