# SPDX-License-Identifier: BSD-3-Clause
"""End a QEMU machine that nobody uses. Started by qemu_session.py beside each machine.

A machine in the background is used while a client is connected to its console (or has its tty open,
by /proc on Linux and lsof on macOS), when it has printed
something since this program last looked, and when somebody has asked for its session's status. The
last two see clients that come and go between two looks. A machine with an owner is used while that
process lives.

Whatever ends the machine, this program ends with it: QEMU's monitor (QMP) is a pair of sockets, and
its other end is closed then. Nobody waits for it, and it holds no file that anybody waits for.
"""

from __future__ import annotations

import argparse
import json
import os
import select
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

# PYTHONSAFEPATH leaves it out.
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import qemu_session as session

LOOK_EVERY_S = 5.0
ANSWER_TIMEOUT_S = 10.0


class MachineEnded(Exception):
    """QEMU has closed its monitor."""


class Monitor:
    """QEMU's side of the story: https://www.qemu.org/docs/master/interop/qmp-spec.html."""

    def __init__(self, connection: socket.socket, tty: str | None = None) -> None:
        self._tty = tty
        self._socket = connection
        self._socket.settimeout(ANSWER_TIMEOUT_S)
        self._received = b""
        self._number = 0
        self._ask("qmp_capabilities")

    def wait(self, seconds: float) -> None:
        """Let time pass. Raises MachineEnded at once when it does."""
        deadline = time.monotonic() + seconds
        while (left := deadline - time.monotonic()) > 0:
            if select.select([self._socket], [], [], left)[0]:
                self._receive()

    def has_client(self) -> bool:
        """Tell whether somebody is connected to the console; yes if QEMU does not say."""
        if self._tty is not None:
            return is_open(self._tty)  # QEMU says the same of a pseudo-terminal either way
        for device in self._ask("query-chardev") or ():
            if device.get("label") == "console":
                return not str(device.get("filename")).startswith("disconnected:")
        return True

    def _ask(self, command: str) -> Any:
        """Return the answer; None for an error or after ANSWER_TIMEOUT_S. Raises MachineEnded."""
        self._number += 1
        request = {"execute": command, "id": self._number}
        try:
            self._socket.sendall(json.dumps(request).encode() + b"\n")
            while True:
                # Between answers there are events, which have no id.
                line, end, rest = self._received.partition(b"\n")
                if not end:
                    self._receive()
                    continue
                self._received = rest
                answer = json.loads(line)
                if answer.get("id") == self._number:
                    return answer.get("return")
        except TimeoutError:
            return None
        except OSError:
            raise MachineEnded from None

    def _receive(self) -> None:
        try:
            data = self._socket.recv(4096)
        except ConnectionError:
            data = b""
        if not data:
            raise MachineEnded
        self._received += data


def is_open(tty: str) -> bool:
    """Tell whether a process of this user has a terminal open."""
    processes = Path("/proc/self/fd")
    if not processes.exists():
        return subprocess.run(["lsof", "-t", "--", tty], capture_output=True).stdout != b""
    for folder in Path("/proc").glob("[0-9]*/fd"):
        try:
            if any(os.readlink(fd) == tty for fd in folder.iterdir()):
                return True
        except OSError:
            continue  # another user's process, or one that just ended
    return False


class Uses:
    """Traces of clients that may be gone already."""

    def __init__(self, state: Path, printed: int) -> None:
        self._state = state
        self._printed = printed
        self._asked = self._time_asked()

    def since_last_look(self) -> bool:
        """Tell whether the machine has printed, or its status was asked for."""
        printed = os.fstat(self._printed).st_size > 0
        if printed:
            os.ftruncate(self._printed, 0)
        before, self._asked = self._asked, self._time_asked()
        return printed or self._asked != before

    def _time_asked(self) -> int | None:
        try:
            return self._state.stat().st_mtime_ns
        except OSError:
            return None


def watch_idle(
    monitor: Monitor, uses: Uses, values: dict[str, Any], state: Path, idle_s: float
) -> None:
    """Return when the machine has been ended after `idle_s` without use. Raises MachineEnded."""
    used = time.monotonic()
    connected = False
    while True:
        monitor.wait(min(LOOK_EVERY_S, idle_s / 4))
        before, connected = connected, monitor.has_client()
        if uses.since_last_look() or before or connected:
            used = time.monotonic()
        elif time.monotonic() - used >= idle_s:
            with session.locked(state, create=False):
                # Who found it running a moment ago is about to connect.
                if not uses.since_last_look() and not monitor.has_client():
                    session.end(values, state)
                    return
            used = time.monotonic()


def watch_owner(
    monitor: Monitor, owner: dict[str, Any], values: dict[str, Any], state: Path
) -> None:
    """Return when the machine has been ended behind its owner. Raises MachineEnded."""
    while session.runs(owner):
        monitor.wait(LOOK_EVERY_S)
    with session.locked(state, create=False):
        session.end(values, state)


def main(argv: Sequence[str] | None = None) -> int:
    """Watch one machine until it has ended; return the exit status."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--state", type=Path, required=True)
    parser.add_argument("--values", type=json.loads, required=True, help="what the state says")
    parser.add_argument("--monitor", type=int, required=True, metavar="FD")
    parser.add_argument("--printed", type=int, metavar="FD", help="log of what the console prints")
    parser.add_argument("--idle-s", type=float, default=0.0)
    arguments = parser.parse_args(argv)
    values, state = arguments.values, arguments.state
    try:
        monitor = Monitor(socket.socket(fileno=arguments.monitor), values.get("tty"))
        if values["owner"] is not None:
            watch_owner(monitor, values["owner"], values, state)
        else:
            watch_idle(monitor, Uses(state, arguments.printed), values, state, arguments.idle_s)
    except MachineEnded:
        session.unregister(values)
    return 0


if __name__ == "__main__":
    sys.exit(main())
