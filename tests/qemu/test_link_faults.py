# SPDX-License-Identifier: BSD-3-Clause
"""A bad line between host and device: noise, lost, doubled and late bytes, a cut connection.

A proxy damages the bytes on their way, drawn from a seed. A request may fail with a clear error,
but what it gives is right, and after the trouble the next one works. Nothing is reset by hand.
"""

from __future__ import annotations

import contextlib
import random
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from mcugen.base.errors import McugenError
from mcugen.boards.load import load_board
from mcugen.device.console import SerialConsole
from mcugen.device.protocol.client import Client, Deadlines
from mcugen.device.runner import Runner

pytestmark = [pytest.mark.qemu, pytest.mark.toolchain, pytest.mark.xdist_group("link-faults")]

BOARD = "qemu-m4"
NETS = Path(__file__).resolve().parent.parent / "golden" / "nets"
DEADLINES = Deadlines(connect_s=20.0, command_s=2.0, execute_s=3.0)


@dataclass
class Line:
    """What happens to bytes, in either direction: chances per byte, of which `seed` draws."""

    flip: float = 0.0
    drop: float = 0.0
    double: float = 0.0
    noise: float = 0.0
    delay: float = 0.0  #: of 20 ms
    to_device: bool = True
    to_host: bool = True
    seed: int = 1
    damaged: int = field(default=0, init=False)

    def __post_init__(self) -> None:
        # One each: what one direction draws does not hang on when the other speaks.
        self._random = {False: random.Random(self.seed), True: random.Random(self.seed + 1)}

    def carry(self, data: bytes, to_device: bool) -> bytes:
        if not (self.to_device if to_device else self.to_host):
            return data
        out = bytearray()
        draw = self._random[to_device]
        for byte in data:
            chance = draw.random()
            for kind in ("flip", "drop", "double", "noise", "delay"):
                chance -= getattr(self, kind)
                if chance < 0:
                    break
            else:
                out.append(byte)
                continue
            self.damaged += 1
            if kind == "flip":
                out.append(byte ^ 1 << draw.randrange(8))
            elif kind == "double":
                out += bytes((byte, byte))
            elif kind == "noise":
                out += bytes((draw.randrange(256), byte))
            elif kind == "delay":
                time.sleep(0.02)
                out.append(byte)
        return bytes(out)


class Proxy:
    """Listens on a port and passes bytes to the device's port and back, over `line`."""

    def __init__(self, device: tuple[str, int]) -> None:
        self.line = Line()
        self._device = socket.create_connection(device)
        self._device.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"socket://127.0.0.1:{self._listener.getsockname()[1]}"
        self._host: socket.socket | None = None
        self._closing = False
        for work in (self._from_host, self._from_device):
            threading.Thread(target=work, daemon=True).start()

    def _from_host(self) -> None:
        while not self._closing:
            try:
                host, _ = self._listener.accept()
            except OSError:
                return
            host.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._host = host
            with host, contextlib.suppress(OSError):
                while data := host.recv(4096):
                    self._device.sendall(self.line.carry(data, to_device=True))
            self._host = None

    def _from_device(self) -> None:
        # What the device says while nobody listens is lost, as on a serial line.
        with contextlib.suppress(OSError):
            while data := self._device.recv(4096):
                carried = self.line.carry(data, to_device=False)
                if (host := self._host) is not None:
                    with contextlib.suppress(OSError):
                        host.sendall(carried)

    def cut(self) -> None:
        """End the host's connection, as pulling the cable does."""
        if (host := self._host) is not None:
            with contextlib.suppress(OSError):
                host.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        self._closing = True
        self.cut()
        # A thread that waits in recv() or accept() keeps a socket open that is only closed.
        for waiting in (self._listener, self._device):
            with contextlib.suppress(OSError):
                waiting.shutdown(socket.SHUT_RDWR)
            waiting.close()


@dataclass
class Model:
    """A network that is loaded, one of its inputs, and what it gives."""

    inputs: bytes
    output: bytes


@dataclass
class Link:
    proxy: Proxy
    client: Client
    model: Model

    def connect(self) -> None:
        """Open the port anew; connecting succeeds whatever was on the line before."""
        with contextlib.suppress(McugenError):
            self.client.console.close()
        console = SerialConsole(self.proxy.url, 115200)
        self.client = Client(console, deadlines=DEADLINES)
        self.client.connect()

    def infer(self) -> bytes:
        """One inference; the input is read back before it is used."""
        self.client.write_input(0, self.model.inputs)
        back = self.client.read_input(0, len(self.model.inputs))
        assert back == self.model.inputs, "wrong bytes taken as right"
        self.client.execute()
        return self.client.read_output(0, len(self.model.output))

    def check(self) -> None:
        assert self.infer() == self.model.output


@pytest.fixture(scope="module")
def machine(runner_elf: Callable[[str], Path]) -> Iterator[tuple[tuple[str, int], Model]]:
    """A device with a model, its port free for the proxy."""
    pte = (NETS / "net_13_m4.pte").read_bytes()
    inputs = (NETS / "net_13_m4.in.bin").read_bytes()
    expected = (NETS / "net_13_m4.out.bin").read_bytes()
    with Runner.simulate(load_board(BOARD), runner_elf(BOARD)) as runner:
        info = runner.push(pte)
        model = Model(inputs[: info.inputs[0][1]], expected[: info.outputs[0][1]])
        assert runner.run([model.inputs]) == [model.output]
        port = int(runner.client.console.name.rsplit(":", 1)[1])
        runner.client.console.close()
        yield ("127.0.0.1", port), model


@pytest.fixture
def link(machine: tuple[tuple[str, int], Model]) -> Iterator[Link]:
    address, model = machine
    proxy = Proxy(address)
    console = SerialConsole(proxy.url, 115200)
    link = Link(proxy, Client(console, deadlines=DEADLINES), model)
    link.client.connect()
    yield link
    link.client.console.close()
    proxy.close()


@pytest.mark.parametrize("towards", ["device", "host", "both"])
@pytest.mark.parametrize("kind", ["flip", "drop", "double", "noise"])
def test_the_link_recovers_from_a_bad_line(link: Link, kind: str, towards: str) -> None:
    """Rare damage is mended by sending again, or told; then the line is good and all is well."""
    line = Line(to_device=towards != "host", to_host=towards != "device")
    setattr(line, kind, 0.001)
    link.proxy.line = line
    for _ in range(4):
        try:
            assert link.infer() == link.model.output, "wrong bytes taken as right"
        except McugenError as error:
            assert str(error)
            link.proxy.line = Line()  # a moment without noise, on which nothing is reset
            link.client.connect()
            link.proxy.line = line
    link.proxy.line = Line()
    link.client.connect()

    assert line.damaged > 0
    link.check()


def test_a_very_bad_line_never_gives_wrong_bytes(link: Link) -> None:
    link.proxy.line = line = Line(flip=0.01, drop=0.01, noise=0.01, seed=7)
    for _ in range(4):
        with contextlib.suppress(McugenError):
            assert link.infer() == link.model.output, "wrong bytes taken as right"
    link.proxy.line = Line()
    link.client.connect()

    assert line.damaged > 20
    link.check()


def test_late_bytes_are_waited_for(link: Link) -> None:
    link.proxy.line = line = Line(delay=0.01, seed=3)
    link.check()

    assert line.damaged > 5


def test_an_oversized_command_and_frame_are_refused(link: Link) -> None:
    reply = link.client.command("x" * 1000, timeout_s=20)
    assert reply.errors == ("Command too long",)

    link.client.console.write(b"\0" + b"\x7f" * 1000 + b"\0")
    with contextlib.suppress(McugenError):
        link.client.ping(b"first")
    link.client.connect()
    link.check()


def test_a_command_in_the_middle_of_a_frame_does_not_harm(link: Link) -> None:
    """The device takes it for a part of the frame, and drops the frame."""
    link.client.console.write(b"\0\x05\x02\x01half a frame")
    link.client.console.write(b"name%")
    time.sleep(0.7)  # a device is silent for 500 ms before it gives a frame up

    reply = link.client.command("name")
    while "m-name-dut" not in "".join(reply.lines):  # answers to what went before
        reply = link.client.command("name")
    link.check()


def test_a_frame_in_the_middle_of_a_command_is_answered(link: Link) -> None:
    link.client.console.write(b"mcugen in")
    assert link.client.ping(b"still there") == b"still there"
    link.check()


@pytest.mark.parametrize("sent", [1, 3, 9, 40, 200])
def test_a_cut_in_a_request_is_recovered_from(link: Link, sent: int) -> None:
    """The connection ends in the middle of a frame; another host connects and goes on."""
    request = b"\0\xff" + bytes(range(1, 255)) * 2
    link.client.console.write(request[:sent])
    time.sleep(0.05)
    link.proxy.cut()
    time.sleep(0.05)
    link.connect()
    link.check()


def test_a_cut_in_a_reply_is_recovered_from(link: Link) -> None:
    link.client.console.write(b"infer 3 1%mcugen info%")
    link.proxy.cut()
    time.sleep(0.05)
    with pytest.raises(McugenError):
        link.client.ping(b"anyone?")
    link.connect()
    link.check()


def test_every_cut_of_a_frame_is_recovered_from_by_silence(link: Link) -> None:
    """Half a request, then silence, then a whole one."""
    whole = struct.pack("<HIH", 0, 0, 8)
    for length in (1, 2, 5):
        link.client.console.write(b"\0" + b"\x05" * length)
        time.sleep(0.6)
        assert link.client.ping(whole) == whole
    link.check()
