#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Run an image on QEMU in the background, its console as a TCP port on this machine.

    qemu_session.py start --elf E --machine M --serial-index I --state FILE [--cpu C] [--extra=A]...
                          [--shared-ram-mib N]
    qemu_session.py status --state FILE
    qemu_session.py stop --state FILE

`start` ends when the image runs; the state file (JSON) then tells `url` (for pyserial), `port`,
`pid`, `elf` and `elf_sha256`. One session per state file: a second `start` ends the first.

With --shared-ram-mib the machine's RAM, which must have that size, is the file `ram` of the state:
what another program writes there is in memory at once. `stop` deletes it.

The console's socket is opened here and handed to QEMU, so no other program can take the port in
between, and a host that connects early waits in its queue. The host may disconnect and connect
again. The image does not wait for the host: what it prints before the host listens is lost, as on
a board.

Standard library only; POSIX.
"""

from __future__ import annotations

import argparse
import contextlib
import fcntl
import hashlib
import json
import os
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

QEMU = "qemu-system-arm"
START_TIMEOUT_S = 30.0
STOP_TIMEOUT_S = 5.0


class SessionError(Exception):
    """What the user is told; the script ends with status 1."""


def start(
    *,
    elf: Path,
    machine: str,
    serial_index: int,
    state: Path,
    cpu: str | None = None,
    extra: Sequence[str] = (),
    shared_ram_mib: int | None = None,
) -> dict[str, Any]:
    """Start `elf` and return what was written to `state`. Raises SessionError."""
    qemu = shutil.which(QEMU)
    if qemu is None:
        raise SessionError(
            f"{QEMU} is not on PATH. Install it: Debian, Ubuntu: sudo apt install qemu-system-arm; "
            "macOS: brew install qemu"
        )
    try:
        with open(elf, "rb") as file:
            magic = file.read(4)
    except OSError as error:
        raise SessionError(f"cannot read the image: {error}") from error
    if magic != b"\x7fELF":
        # QEMU would load it as a flat image and run whatever it is.
        raise SessionError(f"not an ELF file: {elf}")
    with _locked(state):
        _stop(state)
        with socket.socket() as console, contextlib.ExitStack() as stack:
            console.bind(("127.0.0.1", 0))
            console.listen(1)
            port = console.getsockname()[1]
            # QMP greets when the machine is built and the image loaded.
            ours, theirs = socket.socketpair()
            stack.enter_context(ours)
            stack.enter_context(theirs)
            log = stack.enter_context(tempfile.TemporaryFile())
            command = [qemu, "-M", machine, *(["-cpu", cpu] if cpu else [])]
            command += ["-nographic", "-monitor", "none", "-icount", "shift=0"]
            command += ["-chardev", f"socket,id=ready,fd={theirs.fileno()}"]
            command += ["-mon", "chardev=ready,mode=control"]
            command += [
                "-chardev",
                f"socket,id=console,fd={console.fileno()},server=on,wait=off,nodelay=on",
            ]
            command += ["-serial", "null"] * serial_index + ["-serial", "chardev:console"]
            command += ["-kernel", str(elf.resolve()), *extra]
            ram = _ram_path(state)
            if shared_ram_mib is not None:
                command += _shared_ram(ram, shared_ram_mib)
            process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                pass_fds=(console.fileno(), theirs.fileno()),
                start_new_session=True,
            )
            theirs.close()
            try:
                _wait_ready(process, ours, log)
                values = {
                    "pid": process.pid,
                    "started": _start_token(process.pid),
                    "port": port,
                    "url": f"socket://127.0.0.1:{port}",
                    "machine": machine,
                    "elf": str(elf.resolve()),
                    "elf_sha256": hashlib.sha256(elf.read_bytes()).hexdigest(),
                }
                if shared_ram_mib is not None:
                    values["ram"] = str(ram)
                _write_json(state, values)
            except BaseException:
                process.kill()
                process.wait()
                ram.unlink(missing_ok=True)
                raise
    return values


def stop(*, state: Path) -> bool:
    """End the session of `state`. Return False if there was none."""
    with _locked(state):
        return _stop(state)


def status(*, state: Path) -> dict[str, Any] | None:
    """Return the session's values, or None if it does not run."""
    values = _read_json(state)
    return values if values is not None and _runs(values) else None


def _ram_path(state: Path) -> Path:
    return state.with_name(state.name + ".ram").absolute()


def _shared_ram(path: Path, mib: int) -> list[str]:
    """Make the file, which takes no space on disk before it is written to."""
    with open(path, "wb") as file:
        file.truncate(mib << 20)
    # QEMU takes options apart at commas; two stand for one.
    name = str(path).replace(",", ",,")
    backend = f"memory-backend-file,id=mcugen,size={mib}M,mem-path={name},share=on"
    return ["-object", backend, "-machine", "memory-backend=mcugen"]


def _wait_ready(process: subprocess.Popen[bytes], qmp: socket.socket, log: Any) -> None:
    deadline = time.monotonic() + START_TIMEOUT_S
    while True:
        readable, _, _ = select.select([qmp], [], [], 0.05)
        if readable and qmp.recv(4096):
            return
        if process.poll() is not None:
            log.seek(0)
            output = log.read().decode(errors="replace").strip()
            raise SessionError(f"{QEMU} ended with status {process.returncode}: {output}")
        if time.monotonic() > deadline:
            raise SessionError(f"{QEMU} was not ready after {START_TIMEOUT_S:.0f} s")


def _stop(state: Path) -> bool:
    values = _read_json(state)
    running = values is not None and _runs(values)
    if values is not None and running:
        pid = values["pid"]
        for number in (signal.SIGTERM, signal.SIGKILL):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)
            deadline = time.monotonic() + STOP_TIMEOUT_S
            while _runs(values) and time.monotonic() < deadline:
                time.sleep(0.02)
            if not _runs(values):
                break
        else:
            raise SessionError(f"{QEMU} (process {pid}) does not end")
    state.unlink(missing_ok=True)
    _ram_path(state).unlink(missing_ok=True)
    return running


def _runs(values: dict[str, Any]) -> bool:
    """Tell whether the very process of `values` runs: its number may have been given away."""
    pid = values.get("pid")
    if not isinstance(pid, int):
        return False
    # Reaps it where it is this program's own child; elsewhere its parent does.
    with contextlib.suppress(ChildProcessError):
        os.waitpid(pid, os.WNOHANG)
    return _start_token(pid) == values.get("started") is not None


def _start_token(pid: int) -> str | None:
    """Return what tells a process from a later one of the same number; None if it is gone."""
    try:
        # Linux: fields behind the parenthesised name; state is the 1st, start time the 20th.
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        return None if fields[0] in "ZX" else fields[19]
    except OSError:
        if Path("/proc/self/stat").exists():
            return None
    shown = subprocess.run(
        ["ps", "-o", "state=,lstart=", "-p", str(pid)], capture_output=True, text=True
    ).stdout.strip()
    return None if not shown or shown.startswith("Z") else shown.partition(" ")[2].strip()


@contextlib.contextmanager
def _locked(state: Path) -> Iterator[None]:
    """Let one start or stop at a time touch the session of `state`."""
    with open(state.with_name(state.name + ".lock"), "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _read_json(path: Path) -> dict[str, Any] | None:
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return values if isinstance(values, dict) else None


def _write_json(path: Path, values: dict[str, Any]) -> None:
    temporary = path.with_name(path.name + ".new")
    temporary.write_text(json.dumps(values, indent=2) + "\n", encoding="utf-8")
    os.replace(temporary, path)


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; return the exit status."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    commands = parser.add_subparsers(dest="command", required=True)
    for name in ("start", "stop", "status"):
        command = commands.add_parser(name)
        command.add_argument("--state", type=Path, required=True)
        if name == "start":
            command.add_argument("--elf", type=Path, required=True)
            command.add_argument("--machine", required=True)
            command.add_argument("--cpu")
            command.add_argument("--serial-index", type=int, default=0)
            command.add_argument("--extra", action="append", default=[])
            command.add_argument("--shared-ram-mib", type=int)
    arguments = parser.parse_args(argv)
    try:
        if arguments.command == "start":
            values = start(
                elf=arguments.elf,
                machine=arguments.machine,
                serial_index=arguments.serial_index,
                state=arguments.state,
                cpu=arguments.cpu,
                extra=arguments.extra,
                shared_ram_mib=arguments.shared_ram_mib,
            )
            print(f"{QEMU} -M {values['machine']} runs {arguments.elf}; console: {values['url']}")
        elif arguments.command == "stop":
            print("stopped" if stop(state=arguments.state) else "no session")
        else:
            found = status(state=arguments.state)
            print(json.dumps(found, indent=2) if found else "no session")
            return 0 if found else 1
    except SessionError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
