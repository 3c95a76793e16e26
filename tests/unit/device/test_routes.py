# SPDX-License-Identifier: BSD-3-Clause
"""Which way an image takes onto a board, by what is attached and installed."""

from __future__ import annotations

import dataclasses
import os

import pytest
from attached_things import EVERY_WAY, NUCLEO, nucleo_at, sketch

from mcugen.base.errors import ConfigError, FlashError, ToolMissingError
from mcugen.device import route
from mcugen.device.find import UsbDevice
from mcugen.device.route import Route, choose_route
from mcugen.device.target import Target, choose_target

DFU = UsbDevice(None, 0x0483, 0xDF11, "3275", "STM32 BOOTLOADER", (), (EVERY_WAY.id,))


@pytest.fixture
def volume(tmp_path, monkeypatch):
    """Mount volumes of boot loaders."""

    def mount(*board_ids: str) -> list[str]:
        folders = []
        for number, board_id in enumerate(board_ids):
            folder = tmp_path / f"volume {number}"
            folder.mkdir()
            (folder / "INFO_UF2.TXT").write_text(
                f"UF2 Bootloader v3.0\r\nModel: Raspberry Pi RP2\r\nBoard-ID: {board_id}\r\n"
            )
            folders.append(str(folder))
        monkeypatch.setenv("MCUGEN_UF2_VOLUMES", os.pathsep.join(folders))
        return folders

    return mount


def chosen(devices, wanted=None, way=None, port=None) -> Route:
    target = choose_target(EVERY_WAY, devices, wanted, port)
    return choose_route(EVERY_WAY, devices, target, way)


def test_the_first_way_that_is_attached_and_installed_is_taken(programs, monkeypatch, volume):
    probe = nucleo_at("/dev/ttyACM1")
    assert chosen((probe,)).way == "openocd"

    monkeypatch.setattr(route, "which", lambda name: None if name == "openocd" else f"/{name}")
    assert chosen((probe,)).way == "pyocd"
    assert chosen((DFU,)) == Route("dfu", serial="3275")
    assert chosen((sketch(),)).touch == sketch()
    assert chosen((sketch(pid=0x005A),)) == Route("bossac", place="/dev/ttyACM0")
    (folder,) = volume("RPI-RP2")
    assert chosen(()) == Route("uf2", place=folder)
    assert chosen((), wanted=folder) == Route("uf2", place=folder)


def test_a_console_beside_a_boot_loader_is_flashed_by_that(programs, volume):
    (folder,) = volume("RPI-RP2")
    adapter = UsbDevice("/dev/null", 0x0403, 0x6001, "A5", "FT232R")

    assert choose_target(EVERY_WAY, (adapter,), None, "/dev/null") == Target("/dev/null", None)
    assert chosen((adapter,), port="/dev/null") == Route("uf2", place=folder)


@pytest.mark.parametrize("way", ["bossac", "dfu"])
def test_several_boot_loaders_are_refused_and_listed(programs, way):
    if way == "bossac":
        devices = (sketch("/dev/ttyACM0"), sketch("/dev/ttyACM1", 0x005A))
    else:
        devices = (DFU, dataclasses.replace(DFU, serial="3276"))

    with pytest.raises(FlashError, match="2 boot loaders may be") as caught:
        chosen(devices, way=way)

    assert all(device.describe() in caught.value.message for device in devices)
    wanted = devices[1].port or devices[1].serial
    assert wanted in (chosen(devices, wanted, way).place, chosen(devices, wanted, way).serial)


def test_several_volumes_are_refused_and_listed(programs, volume):
    folders = volume("RPI-RP2", "RPI-RP2", "RP2350")

    with pytest.raises(FlashError, match="2 volumes may be") as caught:
        chosen((), way="uf2")

    assert folders[0] in caught.value.message and folders[2] not in caught.value.message
    assert "--device FOLDER" in caught.value.hint


def test_the_volume_of_another_chip_is_not_taken(programs, volume):
    (folder,) = volume("RP2350")

    with pytest.raises(FlashError, match="no volume of a RPI-RP2 is mounted") as caught:
        choose_route(EVERY_WAY, (), Target(None, None), "uf2")

    assert f"{folder}: RP2350" in caught.value.message
    assert "BOOTSEL" in caught.value.hint


def test_a_way_that_the_board_has_not_is_refused_with_those_it_has():
    with pytest.raises(ConfigError, match="not flashed with uf2; ways: openocd, pyocd, jlink"):
        choose_route(NUCLEO, (), Target(None, None), "uf2")


def test_a_program_that_is_missing_says_how_to_get_it(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))

    with pytest.raises(ToolMissingError, match="JLinkExe is not on PATH") as caught:
        chosen((nucleo_at("/dev/ttyACM0"),), way="jlink")

    assert "segger.com" in caught.value.hint


def test_a_serial_number_padded_with_zeros_is_the_same():
    loader = dataclasses.replace(sketch(pid=0x005A), serial="0000000000000000768275C7726D618B")

    assert loader.has_serial("768275C7726D618B")
    assert not loader.has_serial("768275C7726D6180")
