# SPDX-License-Identifier: BSD-3-Clause
"""Flashing up to the edge of this process: programs on PATH that record how they are called, and
pseudo terminals that speak the protocol. PlatformIO, which starts the programs, is the real one."""

from __future__ import annotations

import dataclasses
import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
import samples_of_specs as sample
from attached_things import EVERY_WAY, NUCLEO, nucleo_at, sketch
from pty_peer import on_pty
from sample_project import use_sample_firmware, write_sample
from serial_peer import Peer, default_info

from mcugen.base.errors import DeviceError, FlashError
from mcugen.base.resources import firmware_dir
from mcugen.device import find, flash
from mcugen.device.console import SerialConsole
from mcugen.device.console_port import ConsolePort
from mcugen.device.protocol.client import Deadlines
from mcugen.device.protocol.transcript import Transcript
from mcugen.device.route import Route
from mcugen.flow import flashing
from mcugen.flow.settings import settle
from mcugen.project import upload as uploading
from mcugen.project.board_json import upload_keys
from mcugen.project.upload_errors import explain

sys.path.insert(0, str(firmware_dir() / "platform" / "builder"))
import upload_command as builder


@pytest.fixture(scope="module")
def image(tmp_path_factory):
    """A project whose image nobody has compiled: these programs do not look into it."""
    root = tmp_path_factory.mktemp("a project")
    with pytest.MonkeyPatch.context() as patched:
        use_sample_firmware(root / "firmware", patched)
        written = write_sample(EVERY_WAY, root / "p")
    built = root / "p/.pio/build" / EVERY_WAY.id
    with pytest.raises(FlashError, match="build it first"):
        # PlatformIO empties the folder of a project that it sees for the first time.
        uploading.upload(written, NUCLEO, simulate=False, dry_run=True)
    built.mkdir(parents=True, exist_ok=True)
    for suffix in ("elf", "bin"):
        (built / f"firmware.{suffix}").write_bytes(b"an image")
    return dataclasses.replace(
        sample.image(root), elf=built / "firmware.elf", project=written, firmware_id="f" * 16
    )


class Silent:
    """A terminal for people that keeps what it was told."""

    def __init__(self) -> None:
        self.stages: list[str] = []
        self.warnings: list[str] = []

    def stage(self, text: str) -> None:
        self.stages.append(text)

    def warning(self, text: str) -> None:
        self.warnings.append(text)


def flash_and_ask(image, monkeypatch, tmp_path, devices, **given):
    """What `mcugen flash` does with a build, beside these devices."""
    monkeypatch.setattr(find, "find_devices", lambda boards: tuple(devices))
    settings = settle({"timeout_s": 3.0, **given}, tmp_path)
    settings = dataclasses.replace(settings, board=EVERY_WAY)
    target = flashing.find_target(settings)
    return flashing.flash_and_ask(settings, image, target, Silent())


def board_that_runs(firmware_id: str) -> Peer:
    return Peer(info=default_info() | {"firmware_id": firmware_id, "board": NUCLEO.id})


# -- the command of each way


@pytest.mark.parametrize(
    "way, serial, place, expected",
    [
        (
            *("openocd", "0674FF", None),
            [
                *("openocd", "-f", "board/st_nucleo_f4.cfg", "-c"),
                "reset_config srst_only srst_nogate connect_assert_srst",
                *("-c", "adapter serial 0674FF", "-c", "program {IMAGE.elf} verify reset exit"),
            ],
        ),
        (
            *("pyocd", "0674FF", None),
            "pyocd flash --no-wait --target stm32f446retx --uid 0674FF IMAGE.elf",
        ),
        (
            *("jlink", "683", None),
            "JLinkExe -NoGui 1 -ExitOnError 1 -USB 683 -device STM32F446RE -if SWD -speed 4000 "
            "-autoconnect 1 -CommandFile IMAGE.jlink",
        ),
        ("bossac", None, "/dev/ttyACM3", "bossac --port=ttyACM3 -U -i -e -w IMAGE.bin -R"),
        (
            *("dfu", "3275", None),
            "dfu-util -d 0483:df11 -a 0 -S 3275 -s 0x08000000:leave -D IMAGE.bin",
        ),
        (
            *("stm32flash", None, "/dev/ttyUSB0"),
            "stm32flash -b 57600 -S 0x08000000 -w IMAGE.bin -v -g 0x08000000 /dev/ttyUSB0",
        ),
    ],
)
def test_each_way_has_its_command(programs, way, serial, place, expected):
    words = expected if isinstance(expected, list) else expected.split()

    command = builder.command(way, upload_keys(EVERY_WAY), "IMAGE", serial, place)

    assert command == words


@pytest.mark.parametrize("way", ["bossac", "stm32flash"])
def test_a_way_by_a_port_asks_for_it(way):
    with pytest.raises(builder.UploadError, match="MCUGEN_UPLOAD_PORT"):
        builder.command(way, upload_keys(EVERY_WAY), "IMAGE")


def test_a_dry_run_shows_what_a_flash_runs(programs, image):
    flasher = flash.BoardFlasher(EVERY_WAY, Route("jlink", serial="683"))
    base = str(image.elf.with_suffix(""))

    shown = flasher.command(image)
    assert programs.calls() == []
    flasher.flash(image)

    assert list(shown.command) == programs.calls()
    assert shown.command[-1] == f"{base}.jlink" and shown.command[0] == "JLinkExe"
    assert Path(f"{base}.jlink").read_text() == f'r\nloadfile "{base}.elf"\nr\ng\nqc\n'
    assert shown.environment == {"MCUGEN_UPLOAD_PROTOCOL": "jlink", "MCUGEN_PROBE_SERIAL": "683"}


# -- what the board runs afterwards


def test_the_id_that_the_board_tells_is_the_one_that_was_built(
    programs, image, monkeypatch, tmp_path
):
    """At the port that is named beside the probe."""
    with on_pty(board_that_runs(image.firmware_id)) as port:
        given = {"device": "0674FF", "port": port}
        devices = [nucleo_at(None), nucleo_at(None, "0674FE")]
        found = flash_and_ask(image, monkeypatch, tmp_path, devices, **given)

    assert found == {
        **{"port": port, "probe": "0674FF", "way": "openocd"},
        **{"pid": None, "tty": None, "confirmed": True},
    }
    assert "adapter serial 0674FF" in programs.calls()


def test_another_firmware_than_was_written_ends_with_7(programs, image, monkeypatch, tmp_path):
    with (
        on_pty(board_that_runs("0" * 16)) as port,
        pytest.raises(FlashError, match="but the device at") as caught,
    ):
        flash_and_ask(image, monkeypatch, tmp_path, [nucleo_at(port)])

    assert caught.value.exit_code == 7
    assert f"firmware {'f' * 16} was written through probe 0674FF" in caught.value.message
    assert f"runs {'0' * 16}" in caught.value.message
    assert caught.value.log_path.is_file()


def asked(port: str, tmp_path: Path, deadline_s: float = 3.0):
    deadlines, transcript = Deadlines(*[deadline_s] * 3), Transcript(tmp_path / "t.txt")
    return flash.asked_for_its_id(ConsolePort(port), 115_200, deadlines, transcript, tuple)[0]


def test_a_board_that_says_nothing_afterwards_ends_with_7(tmp_path):
    peer = Peer()
    peer._byte = lambda line, byte: None
    with on_pty(peer) as port, pytest.raises(FlashError, match="nothing that runs it") as caught:
        asked(port, tmp_path, 0.5)

    assert caught.value.exit_code == 7


def test_a_board_that_resets_when_its_port_opens_is_waited_for(tmp_path):
    with on_pty(board_that_runs("1" * 16), deaf_s=1.0) as port:
        assert asked(port, tmp_path, 5.0).firmware_id == "1" * 16


def test_a_port_that_goes_and_comes_with_the_reset_is_waited_for(tmp_path):
    link = tmp_path / "ttyACM0"
    with on_pty(board_that_runs("1" * 16)) as port:
        timer = threading.Timer(0.7, link.symlink_to, [port])
        timer.start()
        assert asked(str(link), tmp_path).firmware_id == "1" * 16
        timer.join()


def test_a_port_in_use_is_told_by_whom_and_works_when_it_is_free(tmp_path, monkeypatch):
    monkeypatch.setattr(flash, "PORT_WITHIN_S", 0.3)
    with on_pty(board_that_runs("1" * 16)) as port:
        code = (
            f"import serial, sys; p = serial.Serial({port!r}, exclusive=True);"
            "print('open', flush=True); sys.stdin.read()"
        )
        holder = subprocess.Popen(
            [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        try:
            assert holder.stdout.readline() == b"open\n"
            with pytest.raises(FlashError, match="is taken by") as caught:
                asked(port, tmp_path)
        finally:
            holder.communicate()
        assert f"pid {holder.pid}" in caught.value.message

        assert asked(port, tmp_path).firmware_id == "1" * 16


def test_a_cable_pulled_while_the_board_is_asked_is_an_error(tmp_path):
    peer = Peer()
    with on_pty(peer) as port:
        fd = peer.line_fd
        peer._byte = lambda line, byte: os.close(fd) if byte == ord("%") else None
        with pytest.raises(FlashError, match="nothing that runs it answers"):
            asked(port, tmp_path, 2.0)


def test_a_port_alone_is_paired_with_no_probe(programs, image, monkeypatch, tmp_path):
    with on_pty(board_that_runs(image.firmware_id)) as port, pytest.raises(FlashError) as caught:
        flash_and_ask(image, monkeypatch, tmp_path, [nucleo_at("/dev/ttyACM9")], port=port)

    assert "is not the port of a probe" in caught.value.message
    assert f"mcugen flash --device 0674FF --port {port}" in caught.value.hint
    assert programs.calls() == []


# -- what goes wrong while it is flashed; the next flash works each time


def test_a_program_that_fails_is_explained_and_the_board_can_be_flashed_again(
    programs, image, monkeypatch, tmp_path
):
    output = "Error: libusb_bulk_read() failed with LIBUSB_ERROR_NO_DEVICE"
    programs("openocd", f"echo '{output}' >&2; exit 1")
    with pytest.raises(FlashError) as caught:
        flash_and_ask(image, monkeypatch, tmp_path, [nucleo_at(None)])
    programs("openocd")
    found = flash_and_ask(image, monkeypatch, tmp_path, [nucleo_at(None)])

    assert caught.value.exit_code == 7
    assert "the device was lost in the middle" in caught.value.message
    assert output in caught.value.message
    assert "Plug it in again" in caught.value.hint
    # Its probe has no serial port: flashed, and not asked.
    assert (found["port"], found["confirmed"]) == (None, False)


def test_a_program_that_hangs_is_ended_with_all_it_started(programs, image, monkeypatch, tmp_path):
    child = tmp_path / "child"
    programs("openocd", f"sleep 600 & echo $! > '{child}'; wait")
    # On a busy machine PlatformIO may need longer than that before it starts anything.
    for timeout_s in (6.0, 12.0, 24.0, 48.0):
        monkeypatch.setattr(uploading, "UPLOAD_TIMEOUT_S", timeout_s)
        with pytest.raises(FlashError, match=f"no end after {timeout_s:.0f} s") as caught:
            flash_and_ask(image, monkeypatch, tmp_path, [nucleo_at(None)])
        if child.exists():
            break
    deadline = time.monotonic() + 5
    while Path(f"/proc/{child.read_text().strip()}").exists() and time.monotonic() < deadline:
        time.sleep(0.05)

    assert "plug it in again" in caught.value.hint
    assert not Path(f"/proc/{child.read_text().strip()}").exists()


def test_a_busy_probe_names_its_holder(programs, image, tmp_path):
    node = tmp_path / "node"
    node.write_bytes(b"")
    programs("openocd", "echo 'Error: claim: LIBUSB_ERROR_BUSY'; exit 1")
    with node.open(), pytest.raises(FlashError, match="another program uses the device") as caught:
        flasher = flash.BoardFlasher(EVERY_WAY, Route("openocd", "A", node=str(node)))
        flasher.flash(image)

    assert f"{node} is held by" in caught.value.message
    assert f"(pid {os.getpid()})" in caught.value.message


@pytest.mark.parametrize(
    "output, what",
    [
        ("Error: libusb_open() failed with LIBUSB_ERROR_ACCESS", "no permission"),
        ("Error: open failed", "was not found"),
        ("Error: init mode failed (unable to connect to the target)", "the chip does not answer"),
        ("No connected debug probe matches unique ID '0674FF'", "not found"),
        ("0000456 C Target type stm32f446retx not recognized. Use 'pyocd list", "pyOCD does not"),
        ("Cannot connect to target.", "the chip does not answer"),
        ("Connecting to J-Link via USB...FAILED: Cannot connect to J-Link.", "not found"),
        ("No DFU capable USB device available", "not found"),
        ("dfu-util: Cannot open DFU device 0483:df11 (LIBUSB_ERROR_ACCESS)", "no permission"),
        ("No device found on ttyACM0", "the chip does not answer"),
        ("** Verify Failed **\nError: checksum mismatch - attempting binary compare", "read back"),
    ],
)
def test_what_programs_print_is_understood(output, what):
    meaning = explain(output.splitlines())

    assert meaning is not None and what in meaning[0]


def test_a_port_that_may_not_be_opened_says_whose_it_is(tmp_path):
    """As another user than root, whom nothing is forbidden."""
    code = (
        "import os, pty, sys\n"
        "from mcugen.device.console import SerialConsole\n"
        "from mcugen.base.errors import DeviceError\n"
        "_, end = pty.openpty()\n"
        "port = os.ttyname(end)\n"
        "os.chmod(port, 0)\n"
        "import grp, pwd, serial.serialposix\n"
        "if os.getuid() == 0:\n"
        "    os.seteuid(65534)\n"
        "try:\n"
        "    SerialConsole(port, 115200)\n"
        "except DeviceError as error:\n"
        "    print(error.message, error.hint)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)

    assert "no permission to open /dev/pts/" in done.stdout, done.stdout + done.stderr
    assert "mode 0000" in done.stdout
    assert "usermod -aG" in done.stdout and "doctor --udev" in done.stdout


# -- boot loaders


def test_a_touch_at_1200_baud_is_followed_to_the_boot_loaders_port(
    programs, image, monkeypatch, tmp_path
):
    """The port of the running program goes, that of its boot loader comes under another name."""
    with on_pty(Peer()) as port:
        attached = [sketch(port)]
        monkeypatch.setattr(flash, "find_devices", lambda boards: tuple(attached))

        def restart() -> None:
            attached[:] = [
                dataclasses.replace(
                    sketch("/dev/ttyACM5", 0x005A), serial="0000000000000000768275C7726D618B"
                ),
                dataclasses.replace(sketch("/dev/ttyACM7", 0x005A), serial="another"),
            ]

        timer = threading.Timer(0.5, restart)
        timer.start()
        flash.BoardFlasher(EVERY_WAY, Route("bossac", touch=sketch(port))).flash(image)
        timer.join()

    assert programs.calls()[:2] == ["bossac", "--port=ttyACM5"]


def test_a_port_that_cannot_be_touched_is_no_missing_boot_loader(programs, image, monkeypatch):
    """ModemManager has it: pressing reset twice would not help."""
    monkeypatch.setattr(flash, "find_devices", lambda boards: ())
    with on_pty(Peer()) as port:
        held = SerialConsole(port, 115_200)
        try:
            with pytest.raises(FlashError, match="cannot be started") as caught:
                flash.BoardFlasher(EVERY_WAY, Route("bossac", touch=sketch(port))).flash(image)
        finally:
            held.close()

    assert f"{port} is taken by" in caught.value.message and "Close that" in caught.value.hint
    assert programs.calls() == []


def test_a_port_of_a_boot_loader_names_its_holder(programs, image):
    programs("stm32flash", "echo 'Failed to open port: Device or resource busy'; exit 1")
    with on_pty(Peer()) as port:
        held = SerialConsole(port, 115_200)
        try:
            with pytest.raises(FlashError, match="another program uses the device") as caught:
                flash.BoardFlasher(EVERY_WAY, Route("stm32flash", place=port)).flash(image)
        finally:
            held.close()

    assert f"{port} is held by" in caught.value.message
    assert f"pid {os.getpid()}" in caught.value.message


def test_a_port_that_is_another_s_for_a_moment_is_waited_for(tmp_path):
    """A port that has just come is looked at by ModemManager."""
    with on_pty(board_that_runs("1" * 16)) as port:
        held = SerialConsole(port, 115_200)
        timer = threading.Timer(0.7, held.close)
        timer.start()
        assert asked(port, tmp_path).firmware_id == "1" * 16
        timer.join()


def test_the_boot_loader_of_another_board_is_not_taken_for_the_touched_ones(
    programs, image, monkeypatch
):
    """It was there before the touch, and for a moment is the only one."""
    other = dataclasses.replace(sketch("/dev/ttyACM7", 0x005A), serial="another")
    with on_pty(Peer()) as port:
        attached = [sketch(port), other]
        monkeypatch.setattr(flash, "find_devices", lambda boards: tuple(attached))
        own = dataclasses.replace(sketch("/dev/ttyACM5", 0x005A), serial=None)
        timer = threading.Timer(0.5, lambda: attached.__setitem__(0, own))
        timer.start()
        flash.BoardFlasher(EVERY_WAY, Route("bossac", touch=sketch(port))).flash(image)
        timer.join()

    assert programs.calls()[:2] == ["bossac", "--port=ttyACM5"]


def test_a_touch_that_nothing_follows_says_what_to_press(programs, image, monkeypatch):
    monkeypatch.setattr(flash, "find_devices", lambda boards: ())
    monkeypatch.setattr(flash, "LOADER_WITHIN_S", 0.3)

    with on_pty(Peer()) as port, pytest.raises(FlashError, match="no boot loader") as caught:
        flash.BoardFlasher(EVERY_WAY, Route("bossac", touch=sketch(port))).flash(image)

    assert "reset button twice" in caught.value.hint
    assert programs.calls() == []


def test_errors_of_devices_and_of_flashing_end_alike():
    assert DeviceError("x").exit_code == FlashError("x").exit_code == 7
