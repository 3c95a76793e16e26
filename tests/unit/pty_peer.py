# SPDX-License-Identifier: BSD-3-Clause
"""A `Peer` behind a pseudo terminal: what stands for a board's serial port."""

from __future__ import annotations

import contextlib
import os
import pty
import select
import threading
import time
import tty
from collections.abc import Iterator

from serial_peer import Peer


class Line:
    """The device's end of a terminal, as the connection that a Peer talks to."""

    def __init__(self, fd: int) -> None:
        self.fd = fd

    def sendall(self, data: bytes) -> None:
        while data:
            data = data[os.write(self.fd, data) :]


@contextlib.contextmanager
def on_pty(peer: Peer, *, deaf_s: float = 0.0) -> Iterator[str]:
    """Serve the peer; yield the port.

    Args:
        deaf_s: the board restarts at the first byte that comes in, as if the port's opening had
            reset it: what comes in that time is lost, and its banner comes behind it.
    """
    device_end, host_end = pty.openpty()
    tty.setraw(host_end)
    port = os.ttyname(host_end)
    peer.line_fd = device_end
    stop = threading.Event()

    def pulled() -> bool:
        try:
            os.fstat(device_end)
        except OSError:
            return True
        return False

    def serve() -> None:
        line, boots = Line(device_end), deaf_s > 0
        while not stop.is_set() and not pulled():
            if not select.select([device_end], [], [], 0.02)[0]:
                continue
            data = os.read(device_end, 4096)
            if boots:
                time.sleep(deaf_s)
                while select.select([device_end], [], [], 0)[0]:
                    os.read(device_end, 4096)
                boots = False
                line.sendall(peer.banner)
                continue
            for byte in data:
                if pulled():
                    return
                peer._byte(line, byte)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield port
    finally:
        stop.set()
        thread.join(5)
        for end in (device_end, host_end):
            with contextlib.suppress(OSError):
                os.close(end)
