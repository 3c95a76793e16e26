# SPDX-License-Identifier: BSD-3-Clause
"""The port of a console is known again by what it is, by every command, and held meanwhile."""

from __future__ import annotations

import dataclasses
from types import SimpleNamespace

import pytest
import samples_of_specs as sample
from attached_things import EVERY_WAY, nucleo_at, sketch
from pty_peer import on_pty
from serial_peer import Peer, default_info

from mcugen.base.errors import DisconnectedError, FlashError
from mcugen.boards.load import list_boards, load_board
from mcugen.device import find, flash
from mcugen.device.console_port import ConsolePort
from mcugen.device.find import UsbDevice
from mcugen.device.probe_lock import probe_lock
from mcugen.device.target import Target, choose_target, require_probe
from mcugen.flow import connection, flashing
from mcugen.flow.settings import settle

NEW = "f" * 16


class Silent:
    def stage(self, text: str) -> None: ...

    warning = stage


@pytest.fixture
def bench(monkeypatch, tmp_path):
    """What is attached (`bench.devices`), what flashing does to it (`bench.flashed`), and commands
    that end with a device which answers at some port."""

    def settings(**given):
        found = settle({"timeout_s": 2.0, **given}, tmp_path)
        return dataclasses.replace(found, board=EVERY_WAY)

    def built():
        image = dataclasses.replace(sample.image(tmp_path), firmware_id=NEW)
        return SimpleNamespace(artifact=sample.artifact(), board=EVERY_WAY, image=image)

    def by_flash(**given) -> str:
        own = settings(**given)
        target = flashing.find_target(own)
        return flashing.flash_and_ask(own, built().image, target, Silent())["port"]

    def by_connect(flash_first: bool = False, **given) -> str:
        with connection.connect(
            settings(**given), built(), Silent(), "verify", flash_first=flash_first
        ) as link:
            return link.client.console.name

    made = SimpleNamespace(devices=[], flashed=lambda: None, settings=settings, built=built)
    made.commands = {
        "flash": by_flash,
        "run": lambda **given: by_connect(True, **given),
        "verify": by_connect,
    }
    monkeypatch.setattr(find, "find_devices", lambda boards: tuple(made.devices))
    monkeypatch.setattr(flash.BoardFlasher, "flash", lambda self, image: made.flashed())
    monkeypatch.setattr(flash, "PORT_WITHIN_S", 0.5)
    return made


def runs(firmware_id: str) -> Peer:
    info = {"firmware_id": firmware_id, "board": EVERY_WAY.id, "clock_hz": EVERY_WAY.clock_hz}
    return Peer(info=default_info() | info | {"pte_sha256": sample.artifact().sha256})


@pytest.mark.parametrize("command", ["flash", "run", "verify"])
@pytest.mark.parametrize("named", [False, True])
def test_a_port_that_comes_back_by_another_name_is_found(programs, bench, command, named):
    """What has its old name then is another board's, which must not be asked."""
    with on_pty(runs("0" * 16)) as before, on_pty(runs(NEW)) as after:
        bench.devices = [nucleo_at(before)]

        def flashed() -> None:
            bench.devices = [nucleo_at(before, "another"), nucleo_at(after)]

        bench.flashed = flashed
        port = bench.commands[command](**({"device": before} if named else {}))

    assert port == after


@pytest.mark.parametrize("command", ["flash", "run", "verify"])
def test_a_port_that_does_not_come_back_is_an_error(programs, bench, command):
    """Another board has its name: nobody may take that for the one that was flashed."""
    with on_pty(runs("0" * 16)) as port:
        bench.devices = [nucleo_at(port)]
        bench.flashed = lambda: setattr(bench, "devices", [nucleo_at(port, "another")])
        with pytest.raises(FlashError, match="is gone, and did not come back") as caught:
            bench.commands[command]()

    assert f"{port} (USB 0483:374b, serial 0674FF)" in caught.value.message


def test_a_lost_device_is_found_again_by_another_name(programs, bench):
    """A cable that was pulled while the port was open leaves its name taken."""
    with on_pty(runs(NEW)) as before, on_pty(runs(NEW)) as after:
        bench.devices = [nucleo_at(before)]
        own = bench.settings(device=before)
        with connection.connect(own, bench.built(), Silent(), "verify") as link:
            assert link.client.console.name == before
        bench.devices = [nucleo_at(after)]
        again = {"again": True, "known": link.port}
        with connection.connect(own, bench.built(), Silent(), "verify", **again) as link:
            assert link.client.console.name == after


def test_a_device_that_is_talked_to_is_held_by_its_probe_and_by_its_port(programs, bench):
    with on_pty(runs(NEW)) as port:
        bench.devices = [nucleo_at(port)]
        with connection.connect(bench.settings(), bench.built(), Silent(), "verify"):
            for name in ("0674FF", port):
                with pytest.raises(DisconnectedError, match="is in use by"), probe_lock(name):
                    pass
    with probe_lock("0674FF", port):
        pass


@pytest.mark.parametrize("name", ["0674FF", None])
def test_a_device_that_is_held_is_not_talked_to(programs, bench, name):
    """A rig in the middle of a measurement, which knows the board by either name."""
    peer = runs(NEW)
    with on_pty(peer) as port, probe_lock(name or port):
        bench.devices = [nucleo_at(port)]
        with pytest.raises(DisconnectedError, match="is in use by"):
            bench.commands["verify"]()

    assert peer.executions == 0


def test_a_console_that_is_not_known_is_asked_for_before_anything_is_flashed(programs, bench):
    bench.devices = [sketch()]
    bench.flashed = lambda: pytest.fail("flashed")
    own = bench.settings()
    for asked in (
        lambda: flashing.check_target(own, flash=True),
        bench.commands["run"],
        bench.commands["verify"],
    ):
        with pytest.raises(FlashError, match="no other is known to be the board's") as caught:
            asked()
        assert "--port PORT" in caught.value.hint

    flashing.check_target(own, flash=True, console=False)


# -- what is the same port


def port(name: str, serial: str | None, location: str | None) -> UsbDevice:
    return UsbDevice(name, 0x1A86, 0x7523, serial, "", location=location)


def test_ports_are_told_apart_by_number_or_by_socket():
    known = ConsolePort.of("/dev/ttyUSB0", (port("/dev/ttyUSB0", None, "1-2"),))
    assert known.current((port("/dev/ttyUSB3", None, "1-2"),)) == "/dev/ttyUSB3"
    assert known.current((port("/dev/ttyUSB0", None, "1-3"),)) is None

    numbered = ConsolePort.of("/dev/ttyACM0", (port("/dev/ttyACM0", "A", "1-2:1.0"),))
    both = (port("/dev/ttyACM4", "A", "1-5:1.0"), port("/dev/ttyACM5", "A", "1-5:1.2"))
    assert numbered.current(both) == "/dev/ttyACM4"
    assert numbered.current(()) is None


def test_a_port_that_is_not_on_usb_is_its_name():
    assert ConsolePort.of("/dev/ttyS0", ()).current(()) == "/dev/ttyS0"


# -- a probe with several ports


DK = load_board("nrf5340dk")


def dk(interface: int, number: str | None = "960", name: str | None = None) -> UsbDevice:
    vid, pid = DK.probe.usb_ids[0]
    name = name or f"/dev/ttyACM{10 - interface}"
    return UsbDevice(name, vid, pid, number, "J-Link", (DK.id,), location=f"1-2:1.{interface}")


@pytest.mark.parametrize("wanted", [None, "960"])
def test_several_ports_of_one_probe_are_one_board(wanted):
    """Its board file says which is the console; the first is the network core's."""
    assert choose_target(DK, (dk(2), dk(0)), wanted) == Target("/dev/ttyACM8", "960")
    # Version 1.0.0 of the board has a third.
    assert choose_target(DK, (dk(4), dk(0), dk(2)), wanted) == Target("/dev/ttyACM6", "960")


def test_which_of_two_ports_is_asked_for_where_no_file_says_it():
    board = dataclasses.replace(DK, probe=dataclasses.replace(DK.probe, console_port=None))
    devices = (dk(2), dk(0))

    with pytest.raises(FlashError, match="960 has 2 serial ports") as caught:
        choose_target(board, devices, None)

    assert caught.value.hint == "Name it: --device 960 --port PORT"
    assert "/dev/ttyACM8" in caught.value.message and "/dev/ttyACM10" in caught.value.message
    assert choose_target(board, devices, "960", "/dev/ttyACM8") == Target("/dev/ttyACM8", "960")


def test_two_ports_of_the_only_probe_without_a_number_are_one_probe():
    devices = (dk(2, None), dk(0, None))

    target = choose_target(DK, devices, None)

    require_probe(DK, devices, target)
    assert target == Target("/dev/ttyACM8", None, only_probe=True)


def test_a_board_file_names_a_port_only_of_a_probe_with_several():
    """A newcomer's board must not be asked for a port that its file could name."""
    named = {board.id for board in list_boards() if board.probe and board.probe.console_port}

    assert named == {DK.id}
