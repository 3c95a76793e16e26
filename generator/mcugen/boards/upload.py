# SPDX-License-Identifier: BSD-3-Clause
"""How an image gets onto a board: the probe on it, and what its boot loaders take."""

from __future__ import annotations

from dataclasses import dataclass

#: All there are. `firmware/platform/builder/upload.py` has the command of each.
WAYS = ("openocd", "pyocd", "jlink", "uf2", "bossac", "dfu", "stm32flash")
#: Those that go through a debug probe.
PROBE_WAYS = ("openocd", "pyocd", "jlink")

UsbIds = tuple[tuple[int, int], ...]


@dataclass(frozen=True)
class Probe:
    """The debug probe on the board: USB (vendor, product) ids and how OpenOCD drives it."""

    kind: str
    usb_ids: UsbIds
    openocd_args: tuple[str, ...]
    console_port: int | None = None  #: which of several serial ports it is, from 0; -1: the last


@dataclass(frozen=True)
class Uf2:
    """A boot loader that shows a volume, which takes files in the format UF2."""

    family: int  #: of the chip, in every block
    board_id: str  #: Board-ID in the volume's INFO_UF2.TXT
    usb_ids: UsbIds  #: of the boot loader


@dataclass(frozen=True)
class Bossac:
    """A boot loader on a serial port that speaks SAM-BA's protocol (Arduino)."""

    usb_ids: UsbIds  #: of the boot loader's port
    touch_usb_ids: UsbIds  #: of ports that, opened at 1200 baud, become that one
    offset: int  #: of the image, from where the boot loader starts applications


@dataclass(frozen=True)
class Dfu:
    """A boot loader that speaks USB's device firmware upgrade with ST's extensions (AN3156)."""

    usb_ids: UsbIds
    alt: int  #: alternate setting that is the internal flash


@dataclass(frozen=True)
class Upload:
    """The ways onto a board, the usual one first, and what each of them needs to know."""

    ways: tuple[str, ...]
    pyocd_target: str | None = None
    jlink_device: str | None = None
    jlink_speed_khz: int = 4000
    uf2: Uf2 | None = None
    bossac: Bossac | None = None
    dfu: Dfu | None = None
    stm32flash_baud: int | None = None

    @property
    def loader_usb_ids(self) -> UsbIds:
        """USB ids of the board's boot loaders."""
        loaders = (self.uf2, self.bossac, self.dfu)
        return tuple(one for loader in loaders if loader is not None for one in loader.usb_ids)
