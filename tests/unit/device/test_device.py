# SPDX-License-Identifier: BSD-3-Clause
from __future__ import annotations

import os
import pty
import subprocess
import sys

import pytest
from serial_peer import Peer, running

from mcugen.base.errors import DeviceError, DeviceTimeoutError, FlashError
from mcugen.boards.load import list_boards, load_board
from mcugen.device import find
from mcugen.device.console import SerialConsole, port_holders
from mcugen.device.find import UsbDevice, find_devices
from mcugen.device.protocol.client import Client, Deadlines
from mcugen.device.protocol.transcript import Transcript
from mcugen.device.target import Target, choose_target, require_probe

NUCLEO = load_board("nucleo")
VID, PID = NUCLEO.probe.usb_ids[0]
PLAIN_PORT = UsbDevice("/dev/ttyS0", None, None, None, "ttyS0")


def probe(serial: str, port: str | None) -> UsbDevice:
    return UsbDevice(port, VID, PID, serial, "STM32 STLink", (NUCLEO.id,))


# -- which device


def test_only_candidate_is_chosen():
    devices = (PLAIN_PORT, probe("0674FF", "/dev/ttyACM0"))

    assert choose_target(NUCLEO, devices, None) == Target("/dev/ttyACM0", "0674FF")


def test_no_board_lists_what_was_found_and_names_simulate():
    with pytest.raises(FlashError) as caught:
        choose_target(NUCLEO, (PLAIN_PORT,), None)

    assert caught.value.exit_code == 7
    assert "/dev/ttyS0" in caught.value.message
    assert "probes found: none" in caught.value.message
    assert "--simulate" in caught.value.hint


def test_several_boards_are_refused_and_listed():
    """The wrong one must never be flashed."""
    devices = (probe("AAA", "/dev/ttyACM0"), probe("BBB", "/dev/ttyACM1"))

    with pytest.raises(FlashError) as caught:
        choose_target(NUCLEO, devices, None)

    assert "2 attached devices" in caught.value.message
    assert all(text in caught.value.message for text in ("AAA", "BBB", "/dev/ttyACM1"))
    assert "--device" in caught.value.hint


@pytest.mark.parametrize("wanted", ["BBB", "/dev/ttyACM1"])
def test_device_chooses_by_serial_or_port(wanted):
    devices = (probe("AAA", "/dev/ttyACM0"), probe("BBB", "/dev/ttyACM1"))

    assert choose_target(NUCLEO, devices, wanted) == Target("/dev/ttyACM1", "BBB")


def test_unknown_device_is_an_error_that_lists_what_there_is():
    with pytest.raises(FlashError, match="no device 'CCC'"):
        choose_target(NUCLEO, (probe("AAA", "/dev/ttyACM0"),), "CCC")


def test_url_is_taken_as_a_console():
    target = choose_target(NUCLEO, (), "socket://127.0.0.1:5000")

    assert target == Target("socket://127.0.0.1:5000", None)


# -- which probe


ADAPTER = UsbDevice("/dev/ttyUSB0", 0x0403, 0x6001, "A50285BI", "FT232R")
OTHERS = UsbDevice("/dev/ttyACM9", 0x1366, 0x0105, "000683", "J-Link", ("another_board",))


def refusal(devices: tuple[UsbDevice, ...], wanted: str | None) -> FlashError:
    target = choose_target(NUCLEO, devices, wanted)
    with pytest.raises(FlashError) as caught:
        require_probe(NUCLEO, devices, target)
    assert caught.value.exit_code == 7
    return caught.value


@pytest.mark.parametrize("wanted", [None, "AAA", "/dev/ttyACM0"])
def test_a_probe_is_flashed_through_by_its_own_number(wanted):
    devices = (ADAPTER, OTHERS, probe("AAA", "/dev/ttyACM0"))
    target = choose_target(NUCLEO, devices, wanted)

    require_probe(NUCLEO, devices, target)

    assert target.probe_serial == "AAA"


@pytest.mark.parametrize("wanted", ["/dev/ttyUSB0", "socket://127.0.0.1:5000", "/dev/null"])
def test_a_port_of_no_probe_takes_nobodys(wanted):
    """OpenOCD would have flashed the only probe, whatever board hangs on it."""
    error = refusal((ADAPTER, probe("AAA", None)), wanted)

    assert f"{wanted} is not the port of a probe of {NUCLEO.id}" in error.message
    assert "serial AAA" in error.message
    assert "mcugen flash --device AAA" in error.hint
    assert f"mcugen verify --device {wanted}" in error.hint


def test_a_port_of_no_probe_beside_several_lists_them():
    devices = (ADAPTER, probe("AAA", "/dev/ttyACM0"), probe("BBB", None))

    error = refusal(devices, "/dev/ttyUSB0")

    assert "serial AAA" in error.message and "serial BBB" in error.message
    assert "A50285BI" not in error.message
    assert "--device SERIAL" in error.hint


def test_the_port_of_another_boards_probe_is_refused():
    """Its serial number was given to OpenOCD before: this image on that board."""
    error = refusal((OTHERS, probe("AAA", "/dev/ttyACM0")), "/dev/ttyACM9")

    assert "may be another_board" in error.message
    assert "--device AAA" in error.hint


def test_a_port_without_any_probe_says_to_attach_it():
    error = refusal((ADAPTER,), "/dev/ttyUSB0")

    assert "probes found: none" in error.message
    assert "Attach the probe" in error.hint


@pytest.fixture
def attached(tmp_path, monkeypatch):
    """Say which (VID, PID, serial) are on USB, as Linux tells it, and which of them have ports."""
    from serial.tools import list_ports
    from serial.tools.list_ports_common import ListPortInfo

    monkeypatch.setattr(find, "SYSFS", tmp_path)

    def attach(*entries: tuple[int, int, str | None, str | None]) -> tuple[UsbDevice, ...]:
        ports = []
        for number, (vid, pid, serial, port) in enumerate(entries):
            folder = tmp_path / f"1-{number}"
            folder.mkdir()
            (folder / "idVendor").write_text(f"{vid:04x}\n")
            (folder / "idProduct").write_text(f"{pid:04x}\n")
            if serial is not None:
                (folder / "serial").write_text(f"{serial}\n")
            if port is not None:
                info = ListPortInfo(port)
                info.vid, info.pid, info.serial_number = vid, pid, serial
                ports.append(info)
        monkeypatch.setattr(list_ports, "comports", lambda: ports)
        return find_devices([NUCLEO])

    return attach


def test_a_port_of_a_usb_device_is_listed_once(attached):
    found = attached((VID, PID, "AAA", "/dev/ttyACM0"), (VID, PID, "BBB", None), (1, 2, "C", None))

    assert [(d.port, d.serial) for d in found] == [("/dev/ttyACM0", "AAA"), (None, "BBB")]


def test_probes_of_no_board_and_boot_loaders_are_known(attached, tmp_path, monkeypatch):
    """By their USB id; a port also by the name that udev gives it for good."""
    by_id = tmp_path / "by-id"
    by_id.mkdir()
    (by_id / "usb-FTDI_FT232R_X-if00").symlink_to("/dev/ttyUSB0")
    monkeypatch.setattr(find, "BY_ID", by_id)

    found = attached(
        (0x0403, 0x6001, "X", "/dev/ttyUSB0"),
        (0x1366, 0x1015, "000683000001", "/dev/ttyACM2"),
        (0x2E8A, 0x0003, "E0C9", None),
    )

    adapter = next(d for d in found if d.serial == "X")
    probe_of_none = next(d for d in found if d.vid == 0x1366)
    assert (adapter.kind, adapter.by_id) == ("port", str(by_id / "usb-FTDI_FT232R_X-if00"))
    assert (probe_of_none.kind, probe_of_none.guess) == ("probe", "J-Link")
    assert choose_target(NUCLEO, found, "683000001") == Target("/dev/ttyACM2", "000683000001")
    # The tests' only board is not flashed by UF2.
    assert len(found) == 2
    pico = [board for board in list_boards() if board.id == "rpi_pico"]
    (loader,) = [d for d in find_devices(pico) if d.loader_of]
    assert (loader.kind, loader.loader_of, loader.serial) == ("boot loader", ("rpi_pico",), "E0C9")


@pytest.mark.parametrize("wanted", [None, "/dev/ttyACM0"])
def test_the_only_probe_needs_no_number(attached, wanted):
    devices = attached((VID, PID, None, "/dev/ttyACM0"), (0x0403, 0x6001, "X", "/dev/ttyUSB0"))

    require_probe(NUCLEO, devices, choose_target(NUCLEO, devices, wanted))


@pytest.mark.parametrize("port", [None, "/dev/ttyACM1"])
def test_one_of_two_probes_without_numbers_is_refused(attached, port):
    devices = attached((VID, PID, None, "/dev/ttyACM0"), (VID, PID, None, port))
    assert len(devices) == 2

    error = refusal(devices, "/dev/ttyACM0")

    assert "has no serial number" in error.message
    assert "Unplug" in error.hint


def test_boards_of_one_probe_are_told_apart_by_nothing_so_both_are_named():
    names = {board.id for board in list_boards() if board.probe}

    assert NUCLEO.id in names


# -- serial port


@pytest.fixture
def terminal():
    """A pseudo terminal: (the device's end, the host's port)."""
    device_end, host_end = pty.openpty()
    port = os.ttyname(host_end)
    yield device_end, port
    os.close(device_end)
    os.close(host_end)


def test_port_that_another_program_holds_says_which(terminal):
    _, port = terminal
    holder = subprocess.Popen(
        [
            sys.executable,
            "-c",
            f"import serial, sys; p = serial.Serial({port!r}, exclusive=True);"
            "print('open', flush=True); sys.stdin.read()",
        ],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    try:
        assert holder.stdout.readline() == b"open\n"

        with pytest.raises(DeviceError, match="is taken by") as caught:
            SerialConsole(port, 115_200)
    finally:
        holder.communicate()

    assert f"pid {holder.pid}" in caught.value.message
    assert "Close that program" in caught.value.hint


def test_a_port_that_nobody_seems_to_hold_is_looked_for_at_modemmanager(monkeypatch, terminal):
    """It runs as another user, whose open files cannot be seen."""
    _, port = terminal
    monkeypatch.setattr("mcugen.device.console.port_holders", lambda _: ())
    held = SerialConsole(port, 115_200)
    try:
        with pytest.raises(DeviceError, match="is taken by another program") as caught:
            SerialConsole(port, 115_200)
    finally:
        held.close()

    assert "systemctl stop ModemManager" in caught.value.hint


def test_holders_of_a_port_nobody_has_open_are_none():
    assert port_holders("/dev/does-not-exist") == ()


def test_port_that_does_not_exist_is_named():
    with pytest.raises(DeviceError, match="no serial port /dev/ttyNONE"):
        SerialConsole("/dev/ttyNONE", 115_200)


def test_silent_port_ends_in_a_timeout(terminal, tmp_path):
    _, port = terminal
    console = SerialConsole(port, 115_200)
    client = Client(console, Transcript(tmp_path / "t.txt"), Deadlines(connect_s=1.2))
    try:
        with pytest.raises(DeviceTimeoutError, match="nothing was received") as caught:
            client.connect()
    finally:
        console.close()

    assert port in caught.value.message
    assert caught.value.exit_code == 9


def test_bytes_cross_a_real_terminal_unchanged(terminal):
    """8-bit clean in both directions: no echo, no newline or control-character magic."""
    device_end, port = terminal
    console = SerialConsole(port, 115_200)
    everything = bytes(range(256))
    try:
        console.write(everything)
        sent = b""
        while len(sent) < 256:
            sent += os.read(device_end, 256)
        os.write(device_end, everything)
        received = b""
        while len(received) < 256:
            received += console.read(2.0)
    finally:
        console.close()

    assert sent == everything
    assert received == everything


def test_connection_that_ends_is_an_error():
    with running(Peer()) as peer:
        console = SerialConsole(peer.url, 115_200)
    try:
        with pytest.raises(DeviceError, match="connection to the device was lost"):
            for _ in range(100):
                console.read(0.05)
    finally:
        console.close()


def test_address_nobody_listens_on_is_an_error():
    with pytest.raises(DeviceError, match="cannot be opened"):
        SerialConsole("socket://127.0.0.1:1", 115_200)
