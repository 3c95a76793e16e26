# SPDX-License-Identifier: BSD-3-Clause
"""What others' files say of a board: PlatformIO's JSON, CMSIS-SVD."""

from __future__ import annotations

import json
import os
import xml.etree.ElementTree as ElementTree
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mcugen.base.cache import cache_dir
from mcugen.base.errors import ConfigError


@dataclass(frozen=True)
class PlatformioBoard:
    """A board as a PlatformIO platform describes it: `boards/<id>.json`."""

    id: str
    values: dict[str, Any]

    def get(self, path: str) -> Any:
        """Return what lies at "build.mcu", None if nothing does."""
        value: Any = self.values
        for key in path.split("."):
            value = value.get(key) if isinstance(value, dict) else None
        return value


def platformio_board(name: str) -> PlatformioBoard:
    """Return the board that a file, or a board of an installed platform, describes.

    Raises ConfigError: there is none, or it is no such file.
    """
    path = Path(name)
    if path.suffix != ".json":
        homes = [Path(os.environ.get("PLATFORMIO_CORE_DIR", Path.home() / ".platformio"))]
        homes.append(cache_dir() / "platformio")
        found = [p for home in homes for p in home.glob(f"platforms/*/boards/{name}.json")]
        if not found:
            looked = ", ".join(str(home / "platforms") for home in homes)
            raise ConfigError(
                f"no installed PlatformIO platform has a board '{name}' (looked in {looked})",
                hint="Give a file, --pio BOARD.json, or install the platform: "
                "pio pkg install -g -p ststm32.",
            )
        path = found[0]
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ConfigError(f"{path} cannot be read as a PlatformIO board: {error}") from None
    if not isinstance(values, dict) or not isinstance(values.get("build"), dict):
        raise ConfigError(f"{path} is no PlatformIO board: it has no 'build'")
    return PlatformioBoard(path.stem, values)


@dataclass(frozen=True)
class SvdPeripheral:
    """Where a peripheral is, and the interrupts it names."""

    base: int
    interrupts: dict[str, int]


def svd_peripherals(path: Path) -> dict[str, SvdPeripheral]:
    """Return the peripherals of a CMSIS-SVD file, by name. Raises ConfigError."""
    try:
        root = ElementTree.parse(path).getroot()
    except (OSError, ElementTree.ParseError) as error:
        raise ConfigError(f"{path} cannot be read as CMSIS-SVD: {error}") from None
    found: dict[str, SvdPeripheral] = {}
    rows = root.findall("./peripherals/peripheral")
    for row in rows:
        name, base = row.findtext("name"), row.findtext("baseAddress")
        if name is None or base is None:
            continue
        interrupts = {
            each.findtext("name", ""): int(each.findtext("value", "0"), 0)
            for each in row.findall("interrupt")
        }
        found[name] = SvdPeripheral(int(base, 0), interrupts)
    if not found:
        raise ConfigError(f"{path} describes no peripherals: is it CMSIS-SVD?")
    return found
