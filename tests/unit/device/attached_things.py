# SPDX-License-Identifier: BSD-3-Clause
"""A board that can be flashed in every way, and what may be attached; for tests of flashing."""

from __future__ import annotations

import dataclasses

from mcugen.boards.load import load_board
from mcugen.boards.upload import Bossac, Dfu, Uf2, Upload
from mcugen.device.find import UsbDevice

NUCLEO = load_board("nucleo")
#: Every way there is onto one board, for the sake of the tests.
EVERY_WAY = dataclasses.replace(
    NUCLEO,
    upload=Upload(
        ways=("openocd", "pyocd", "jlink", "uf2", "bossac", "dfu", "stm32flash"),
        pyocd_target="stm32f446retx",
        jlink_device="STM32F446RE",
        uf2=Uf2(0xE48BFF56, "RPI-RP2", ((0x2E8A, 0x0003),)),
        bossac=Bossac(((0x2341, 0x005A),), ((0x2341, 0x805A),), 0),
        dfu=Dfu(((0x0483, 0xDF11),), 0),
        stm32flash_baud=57600,
    ),
)


def nucleo_at(port: str | None, serial: str = "0674FF") -> UsbDevice:
    return UsbDevice(port, 0x0483, 0x374B, serial, "STM32 STLink", (NUCLEO.id,))


def sketch(port: str | None = "/dev/ttyACM0", pid: int = 0x805A) -> UsbDevice:
    own = (EVERY_WAY.id,)
    loader = own if pid == 0x005A else ()
    touch = own if pid == 0x805A else ()
    return UsbDevice(port, 0x2341, pid, "768275C7726D618B", "Nano", (), loader, touch)
