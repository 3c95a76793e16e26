# SPDX-License-Identifier: BSD-3-Clause
"""Debug probes that one owns without a board: `boards/probes/usb.toml`."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache

from mcugen.base.errors import ConfigError
from mcugen.base.resources import boards_dir
from mcugen.boards.parse_upload import parse_usb_ids
from mcugen.boards.table import Table
from mcugen.boards.upload import UsbIds


@dataclass(frozen=True)
class KnownProbe:
    """A kind of probe and the USB ids that it may have."""

    name: str
    source: str
    usb_ids: UsbIds


@cache
def known_probes() -> tuple[KnownProbe, ...]:
    """Return every kind of probe. Raises ConfigError for a file that is not right."""
    path = boards_dir() / "probes" / "usb.toml"
    where = "boards/probes/usb.toml"
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise ConfigError(f"{where}: {error}") from error
    found = []
    for row in Table(values, where).tables("probe"):
        ids = parse_usb_ids(row, "usb_ids", "probe.usb_ids")
        found.append(KnownProbe(row.get("name", str), row.get("source", str), ids))
        row.close()
    return tuple(found)
