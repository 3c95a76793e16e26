# SPDX-License-Identifier: BSD-3-Clause
"""A simulated machine whose executed blocks can be recorded, for as long as is asked.

QEMU's monitor turns the log on and off, so that boot and load are not in it. The log goes through
a pipe with a name and is read while it is written: that of an inference may have gigabytes.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import socket
import tempfile
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mcugen.base.errors import DeviceError
from mcugen.device.console import SerialConsole
from mcugen.device.qemu import QemuMachine

if TYPE_CHECKING:
    from mcugen.boards.spec import BoardSpec

_MONITOR_TIMEOUT_S = 60.0
_CHUNK_BYTES = 1 << 20


class TracedMachine:
    """A console to the machine, and its log. Made by `traced_machine`."""

    def __init__(self, console: SerialConsole, monitor: socket.socket, log: int) -> None:
        """Talk to QEMU's monitor; `log` is where its log is read from, without waiting."""
        self.console = console
        self._monitor = monitor
        self._replies = monitor.makefile("r", encoding="utf-8")
        self._log_fd = log
        self._reply()  # its greeting
        self._ask("qmp_capabilities")

    @contextlib.contextmanager
    def recorded(self, feed: Callable[[bytes], None]) -> Iterator[None]:
        """Give what QEMU logs while the block runs to `feed`, all of it before this returns.

        Raises DeviceError, and what `feed` raises.
        """
        failures: list[Exception] = []
        ended = threading.Event()

        def read() -> None:
            while True:
                last = ended.is_set()  # asked first: what was written before is read once more
                while data := self._read_log():
                    try:
                        if not failures:  # else QEMU would wait for a reader
                            feed(data)
                    except Exception as error:
                        failures.append(error)
                if last:
                    return
                select.select([self._log_fd], [], [], 0.05)

        reader = threading.Thread(target=read, daemon=True)
        reader.start()
        try:
            self._set_log("exec,in_asm,nochain")
            yield
            self._set_log("none")
        finally:
            ended.set()
            reader.join()
        if failures:
            raise failures[0]

    def _read_log(self) -> bytes:
        try:
            return os.read(self._log_fd, _CHUNK_BYTES)
        except BlockingIOError:
            return b""

    def _set_log(self, items: str) -> None:
        answer = self._ask("human-monitor-command", {"command-line": f"log {items}"})
        if answer:
            raise DeviceError(f"QEMU does not log '{items}': {answer}")

    def _ask(self, command: str, arguments: dict[str, str] | None = None) -> Any:
        request = {"execute": command, "arguments": arguments or {}}
        try:
            self._monitor.sendall(json.dumps(request).encode() + b"\n")
        except OSError as error:
            raise DeviceError(f"QEMU's monitor is gone: {error}") from None
        return self._reply().get("return")

    def _reply(self) -> dict[str, Any]:
        while True:
            try:
                line = self._replies.readline()
            except OSError as error:
                raise DeviceError(f"QEMU's monitor does not answer: {error}") from None
            if not line:
                raise DeviceError("QEMU's monitor is gone")
            reply: dict[str, Any] = json.loads(line)
            if "error" in reply:
                raise DeviceError(f"QEMU's monitor: {reply['error'].get('desc')}")
            if "event" not in reply:
                return reply


@contextlib.contextmanager
def traced_machine(board: BoardSpec, elf: Path) -> Iterator[TracedMachine]:
    """A QEMU machine of one's own for as long as the block runs, stopped however it ends.

    Raises ToolMissingError, DeviceError.
    """
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="mcugen-qemu-")))
        pipe, monitor = folder / "log", folder / "monitor"
        os.mkfifo(pipe)
        # A reader for QEMU, which opens it at once, and a writer for the reader: it never ends.
        log = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
        stack.callback(os.close, log)
        stack.callback(os.close, os.open(pipe, os.O_WRONLY))
        extra = ("-D", str(pipe), "-qmp", f"unix:{monitor},server=on,wait=off")
        machine = QemuMachine(board, elf, folder / "session.json", extra)
        stack.callback(machine.stop)
        console = SerialConsole(machine.start(), board.console.baud)
        stack.callback(console.close)
        link = stack.enter_context(socket.socket(socket.AF_UNIX))
        link.settimeout(_MONITOR_TIMEOUT_S)
        link.connect(str(monitor))
        yield TracedMachine(console, link, log)
