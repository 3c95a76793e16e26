# SPDX-License-Identifier: BSD-3-Clause
"""Samples through a device that goes away; what was done is not done again."""

from __future__ import annotations

import contextlib
import os
import pty
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import samples_of_specs as sample
from serial_peer import Peer, running

from mcugen.base.errors import (
    DeviceError,
    DeviceTimeoutError,
    DisconnectedError,
    McugenError,
)
from mcugen.device.console import SerialConsole
from mcugen.device.protocol.client import Client, Deadlines
from mcugen.device.sampling import MOST_LOSSES_AT_A_SAMPLE, Record, run_samples
from mcugen.program.artifact import PteArtifact

SAMPLES = [(bytes(range(n, n + 16)),) for n in range(12)]
EXPECTED = [(bytes(2 * v for v in x),) for (x,) in SAMPLES]
DEADLINES = Deadlines(connect_s=5.0, command_s=1.0, execute_s=1.0)


def connect(port: str) -> Client:
    client = Client(SerialConsole(port, 115_200), deadlines=DEADLINES)
    client.connect()
    return client


@contextlib.contextmanager
def pseudo_terminal(url: str, link: Path, cut_after: Callable[[], bool]) -> Iterator[None]:
    """A pty, named by a link, in front of a device; both its ends close when `cut_after` says."""
    import serial

    device = serial.serial_for_url(url, timeout=0.02)
    ours, theirs = pty.openpty()
    link.unlink(missing_ok=True)
    link.symlink_to(os.ttyname(theirs))
    os.set_blocking(ours, False)
    stop = threading.Event()

    def carry() -> None:
        while not stop.is_set() and not cut_after():
            with contextlib.suppress(BlockingIOError):
                device.write(os.read(ours, 4096))
            if data := device.read(4096):
                os.write(ours, data)
        os.close(theirs)
        os.close(ours)
        device.close()

    thread = threading.Thread(target=carry, daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def test_a_serial_port_that_closes_is_gone_on_with(tmp_path):
    peer = Peer()
    lost = []
    with running(peer), contextlib.ExitStack() as lines:
        port = tmp_path / "tty"
        lines.enter_context(pseudo_terminal(peer.url, port, lambda: peer.executions >= 5))

        def again(error: McugenError, number: int) -> Client:
            lost.append((type(error), number))
            lines.enter_context(pseudo_terminal(peer.url, port, lambda: False))
            return connect(str(port))

        outputs = run_samples(connect(str(port)), sample.artifact(), SAMPLES, again=again)

    assert outputs == EXPECTED
    ((kind, number),) = lost
    assert issubclass(kind, DisconnectedError | DeviceTimeoutError)
    assert number in (4, 5)
    assert len(SAMPLES) <= peer.executions <= len(SAMPLES) + 1


def test_a_sample_that_ends_the_device_each_time_is_given_up():
    lost = []
    with running(Peer()) as peer:
        clients = [connect(peer.url)]

        def again(error: McugenError, number: int) -> Client:
            lost.append(number)
            clients[-1].console.close()
            clients.append(connect(peer.url))
            return clients[-1]

        def fall_silent(kind: int, count: int, reply: bytes) -> bytes:
            return b"" if peer.executions == 4 + len(lost) else reply

        peer.mangle = fall_silent
        with pytest.raises(DeviceTimeoutError):
            run_samples(clients[0], sample.artifact(), SAMPLES, again=again)

    assert lost == [lost[0]] * (MOST_LOSSES_AT_A_SAMPLE - 1)


def test_a_device_that_answers_with_an_error_is_not_lost():
    def unexpected(error: McugenError, number: int) -> Client:
        raise AssertionError("connected again")

    with running(Peer()) as peer:
        client = connect(peer.url)
        with pytest.raises(DeviceError):
            run_samples(client, sample.artifact(), [(bytes(17),)], again=unexpected)


@pytest.fixture
def artifact() -> PteArtifact:
    return sample.artifact()


def interrupted_after(count: int) -> Callable[[], None]:
    left = [count]

    def advance() -> None:
        left[0] -= 1
        if left[0] < 0:
            raise KeyboardInterrupt

    return advance


def test_what_was_done_before_a_ctrl_c_is_not_done_again(tmp_path, artifact):
    path = tmp_path / "verify" / "progress.bin"
    with running(Peer()) as peer:
        client = connect(peer.url)
        record = Record(path, "this build", [16])
        with pytest.raises(KeyboardInterrupt):
            run_samples(client, artifact, SAMPLES, record=record, advance=interrupted_after(4))
        record.close()
        before = peer.executions
        record = Record(path, "this build", [16])
        kept = len(record.kept)
        outputs = run_samples(client, artifact, SAMPLES, record=record)
        record.close(remove=True)

    assert before == kept == 5
    assert outputs == EXPECTED
    assert peer.executions == len(SAMPLES)
    assert not path.exists()


@pytest.mark.parametrize(
    ("damage", "kept"),
    [
        (lambda data: data, 3),
        (lambda data: data[:-1], 2),
        (lambda data: data[:-21] + b"?" + data[-20:], 1),
        (lambda data: data[5:], 0),
        (lambda data: b"", 0),
    ],
)
def test_a_damaged_record_is_taken_as_far_as_it_is_whole(tmp_path, damage, kept):
    path = tmp_path / "progress.bin"
    record = Record(path, "key", [16])
    for outputs in EXPECTED[:3]:
        record.add(outputs)
    record.close()
    path.write_bytes(damage(path.read_bytes()))

    again = Record(path, "key", [16])
    assert again.kept == EXPECTED[:kept]
    again.add(EXPECTED[kept])
    again.close()
    assert Record(path, "key", [16]).kept == EXPECTED[: kept + 1]
    assert Record(path, "another build", [16]).kept == []
