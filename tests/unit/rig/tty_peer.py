# SPDX-License-Identifier: BSD-3-Clause
"""A device in a thread at a real terminal: serial_peer's, which may be deaf at first."""

from __future__ import annotations

import contextlib
import os
import pty
import select
import threading
import tty
from collections.abc import Iterator

from serial_peer import Peer


class _Line:
    """What a Peer sends to: the device's end of the terminal."""

    def __init__(self, fd: int) -> None:
        self._fd = fd

    def sendall(self, data: bytes) -> None:
        os.write(self._fd, data)


@contextlib.contextmanager
def at_tty(peer: Peer, *, deaf_to: float = 0) -> Iterator[str]:
    """Serve a peer; yield the path of its terminal.

    deaf_to: so many first knocks (a lone `%`, with which a host begins) are not heard, nor is what
    comes between them.
    """
    device, host = pty.openpty()
    tty.setraw(host)
    stop = threading.Event()

    def serve() -> None:
        knocks = 0
        line = _Line(device)
        while not stop.is_set():
            if not select.select([device], [], [], 0.02)[0]:
                continue
            for byte in os.read(device, 4096):
                knocks += byte == ord("%")
                if knocks > deaf_to:
                    peer._byte(line, byte)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield os.ttyname(host)
    finally:
        stop.set()
        thread.join(5)
        os.close(device)
        os.close(host)
