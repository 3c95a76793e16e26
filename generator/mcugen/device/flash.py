# SPDX-License-Identifier: BSD-3-Clause
"""Put an image on a real board."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from mcugen.boards.spec import BoardSpec
    from mcugen.project.build import BuiltImage


class Flasher(Protocol):
    """Puts an image on a device and lets it run."""

    def flash(self, image: BuiltImage) -> None:
        """Raises FlashError, ToolMissingError."""


@dataclass(frozen=True)
class ProbeFlasher:
    """Flashes through PlatformIO's upload target.

    probe_serial: None only where one probe is attached; see `find.require_probe`.
    """

    board: BoardSpec
    probe_serial: str | None

    def flash(self, image: BuiltImage) -> None:
        """Raises FlashError, ToolMissingError."""
        from mcugen.project.platformio import upload

        upload(image.project, self.board, simulate=False, probe_serial=self.probe_serial)
