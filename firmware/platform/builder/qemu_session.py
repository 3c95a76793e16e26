#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Run an image on QEMU in the background, its console as a TCP port on this machine, or as a tty.

    qemu_session.py start --elf E --machine M --serial-index I --state FILE [--cpu C] [--extra=A]...
                          [--pty] [--shared-ram-mib N] [--idle-minutes N | --owner PID]
    qemu_session.py status --state FILE
    qemu_session.py stop --state FILE | --all
    qemu_session.py list

`start` ends when the image runs; the state file (JSON) then tells `url` (for pyserial), `port`,
`pid`, `elf` and `elf_sha256`. One session per state file: a second `start` ends the first.

A machine that nobody has used for --idle-minutes (default: $MCUGEN_SIMULATOR_IDLE_MINUTES, else 10;
0: never) ends by itself, and so does one whose --owner has ended: see qemu_watch.py. `list` and
`stop --all` know this user's machines by a file for each in `simulators` in mcugen's cache folder;
`--all` leaves those that have an owner alone.

With --shared-ram-mib the machine's RAM, which must have that size, is the file `ram` of the state:
what another program writes there is in memory at once. `stop` deletes it.

The console's socket is opened here and handed to QEMU, so no other program can take the port in
between, and a host that connects early waits in its queue. The host may disconnect and connect
again. The image does not wait for the host: what it prints before the host listens is lost, as on
a board.

With --pty the console is a pseudo-terminal of QEMU's, raw, for programs that open a serial port by
its path: `tty` and `url` of the state are its name, `port` is null. QEMU looks once a second
whether somebody has opened it: the first answer may take that long.

Standard library only; POSIX.
"""

from __future__ import annotations

import argparse
import contextlib
import fcntl
import hashlib
import json
import math
import os
import re
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
IDLE_MINUTES = 10.0


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
    min_version: str | None = None,
    shared_ram_mib: int | None = None,
    idle_minutes: float | None = None,
    owner: int | None = None,
    pty: bool = False,
) -> dict[str, Any]:
    """Start `elf` and return what was written to `state`. Raises SessionError."""
    qemu = shutil.which(QEMU)
    if qemu is None:
        raise SessionError(
            f"{QEMU} is not on PATH. Install it: Debian, Ubuntu: sudo apt install qemu-system-arm; "
            "macOS: brew install qemu"
        )
    if min_version is not None:
        _check_version(qemu, machine, min_version)
    _check_elf(elf)
    idle_s = 60 * _idle_minutes(idle_minutes)
    state = state.absolute()
    ram = _ram_path(state)
    with locked(state), contextlib.ExitStack() as stack:
        _stop(state)
        console = None if pty else stack.enter_context(_listening())
        # QMP greets when the machine is built and the image loaded.
        ours, theirs = (stack.enter_context(each) for each in socket.socketpair())
        log = stack.enter_context(tempfile.TemporaryFile())
        # What the console prints is a trace of its use.
        counts_use = owner is None and idle_s > 0
        printed = stack.enter_context(_write_only_file()) if counts_use else None
        command = [qemu, "-M", machine, *(["-cpu", cpu] if cpu else [])]
        command += ["-nographic", "-monitor", "none", "-icount", "shift=0"]
        command += ["-chardev", f"socket,id=ready,fd={theirs.fileno()}"]
        command += ["-mon", "chardev=ready,mode=control"]
        command += _console(
            console and console.fileno(), serial_index, printed and printed.fileno()
        )
        command += ["-kernel", str(elf.resolve()), *extra]
        if shared_ram_mib is not None:
            command += _shared_ram(ram, shared_ram_mib)
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            pass_fds=[each.fileno() for each in (console, theirs, printed) if each is not None],
            start_new_session=True,
        )
        theirs.close()
        try:
            _wait_ready(process, ours, log)
            values = {
                "pid": process.pid,
                "started": _start_token(process.pid),
                **_address(console, log),
                "machine": machine,
                "elf": str(elf.resolve()),
                "elf_sha256": hashlib.sha256(elf.read_bytes()).hexdigest(),
                "owner": None,
            }
            if owner is not None:
                values["owner"] = {"pid": owner, "started": _start_token(owner)}
            if shared_ram_mib is not None:
                values["ram"] = str(ram)
            if owner is not None or printed is not None:
                _watch(state, values, ours, printed, idle_s)
            _register(state, values)
            _write_json(state, values)
        except BaseException:
            process.kill()
            process.wait()
            ram.unlink(missing_ok=True)
            raise
    return values


def stop(*, state: Path) -> bool:
    """End the session of `state`. Return False if there was none."""
    state = state.absolute()
    with locked(state, create=state.parent.is_dir()):
        return _stop(state)


def stop_all() -> int:
    """End all of this user's sessions that no process owns; return how many."""
    found = [values for values in registered() if values["owner"] is None]
    for values in found:
        state = Path(values["state"])
        with locked(state, create=False):
            end(values, state)
    return len(found)


def status(*, state: Path) -> dict[str, Any] | None:
    """Return the session's values, or None if it does not run. Who asks is about to use it."""
    values = _read_json(state)
    if values is None or not runs(values):
        return None
    with contextlib.suppress(OSError):
        os.utime(state)
    return values


def registered() -> list[dict[str, Any]]:
    """Return the sessions of this user that run, each with its `state`; forget the others."""
    found = []
    with contextlib.suppress(OSError):
        for path in sorted(_registry().glob("*.json")):
            values = _read_json(path)
            if values is not None and isinstance(values.get("state"), str) and runs(values):
                found.append({"owner": None, **values})
            else:
                path.unlink(missing_ok=True)
    return found


def end(values: dict[str, Any], state: Path) -> None:
    """End a machine and remove its files, but not those of a later session of `state`."""
    _kill(values)
    current = _read_json(state)
    if current is None or _same(current, values):
        state.unlink(missing_ok=True)
        _ram_path(state).unlink(missing_ok=True)
    unregister(values)


def _check_version(qemu: str, machine: str, wanted: str) -> None:
    said = subprocess.run([qemu, "--version"], capture_output=True, text=True).stdout
    have = re.search(r"version (\d+)\.(\d+)", said)
    if have is None or tuple(map(int, have.groups())) < tuple(map(int, wanted.split("."))):
        version = f"{have[1]}.{have[2]}" if have else "of no known version"
        raise SessionError(
            f"machine {machine} needs QEMU {wanted} or newer; {qemu} is {version}. Debian 12: "
            "sudo apt install -t bookworm-backports qemu-system-arm (backports.debian.org says how "
            "to enable them); Ubuntu 25.10, Debian 13: sudo apt install qemu-system-arm; "
            "macOS: brew install qemu"
        )


def _check_elf(path: Path) -> None:
    try:
        with open(path, "rb") as file:
            magic = file.read(4)
    except OSError as error:
        raise SessionError(f"cannot read the image: {error}") from error
    if magic != b"\x7fELF":
        # QEMU would load it as a flat image and run whatever it is.
        raise SessionError(f"not an ELF file: {path}")


def _listening() -> socket.socket:
    """Return a socket that listens on a free port of this machine."""
    console = socket.socket()
    console.bind(("127.0.0.1", 0))
    console.listen(1)
    return console


def _address(console: socket.socket | None, log: Any) -> dict[str, Any]:
    """Return where the console of a machine that has started is. Raises SessionError."""
    if console is not None:
        port = console.getsockname()[1]
        return {"port": port, "url": f"socket://127.0.0.1:{port}"}
    log.seek(0)
    output = log.read().decode(errors="replace")
    found = re.search(r"char device redirected to (\S+) \(label console\)", output)
    if found is None:
        raise SessionError(f"{QEMU} does not say which tty its console is: {output.strip()}")
    return {"port": None, "tty": found[1], "url": found[1]}


def _console(listening: int | None, serial_index: int, printed: int | None) -> list[str]:
    """Return QEMU's options for a serial port and its log.

    listening: a socket that listens; None: a pseudo-terminal.
    """
    options = "pty,id=console"
    if listening is not None:
        options = f"socket,id=console,fd={listening},server=on,wait=off,nodelay=on"
    log = []
    if printed is not None:
        log = ["-add-fd", f"fd={printed},set=1"]
        options += ",logfile=/dev/fdset/1,logappend=on"
    nulls = ["-serial", "null"] * serial_index
    return [*log, "-chardev", options, *nulls, "-serial", "chardev:console"]


def _idle_minutes(given: float | None) -> float:
    name, text = "--idle-minutes", str(given)
    if given is None:
        name = "MCUGEN_SIMULATOR_IDLE_MINUTES"
        text = os.environ.get(name) or str(IDLE_MINUTES)
    try:
        minutes = float(text)
    except ValueError:
        minutes = -1.0
    if not (minutes >= 0 and math.isfinite(minutes)):
        raise SessionError(f"{name} must be a number of minutes, or 0 for never; it is '{text}'")
    return minutes


@contextlib.contextmanager
def _write_only_file() -> Iterator[Any]:
    """A file without a name, opened as QEMU opens a log: it compares the flags."""
    handle, name = tempfile.mkstemp()
    os.close(handle)
    with open(os.open(name, os.O_WRONLY | os.O_APPEND), "ab", buffering=0) as file:
        os.unlink(name)
        yield file


def _watch(
    state: Path, values: dict[str, Any], qmp: socket.socket, printed: Any, idle_s: float
) -> None:
    """Start the program that ends the machine when it is not used any more."""
    script = Path(__file__).resolve().with_name("qemu_watch.py")
    # Without site packages it is there in half the time, and without bytecode the folder stays
    # as it is: it may be a project's, whose files are listed.
    command = [sys.executable, "-SB", str(script), "--state", str(state)]
    command += ["--values", json.dumps(values), "--idle-s", str(idle_s)]
    command += ["--monitor", str(qmp.fileno())]
    handed = [qmp.fileno()]
    if printed is not None:
        command += ["--printed", str(printed.fileno())]
        handed.append(printed.fileno())
    subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        pass_fds=handed,
        cwd="/",
        start_new_session=True,
    )


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
    here = _read_json(state)
    # A folder that was removed with its state file leaves a machine that only the registry knows.
    found = [values for values in registered() if values["state"] == str(state)]
    running = [_kill(values) for values in ([] if here is None else [here]) + found]
    state.unlink(missing_ok=True)
    _ram_path(state).unlink(missing_ok=True)
    for values in ([] if here is None else [here]) + found:
        unregister(values)
    return any(running)


def _kill(values: dict[str, Any]) -> bool:
    """End the process of a session; return whether it ran."""
    if not runs(values):
        return False
    pid = values["pid"]
    for number in (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)
        deadline = time.monotonic() + STOP_TIMEOUT_S
        while runs(values) and time.monotonic() < deadline:
            time.sleep(0.02)
        if not runs(values):
            return True
    raise SessionError(f"{QEMU} (process {pid}) does not end")


def runs(values: dict[str, Any]) -> bool:
    """Tell whether the very process of `values` runs: its number may have been given away."""
    pid = values.get("pid")
    if not isinstance(pid, int):
        return False
    # Reaps it where it is this program's own child; elsewhere its parent does.
    with contextlib.suppress(ChildProcessError):
        os.waitpid(pid, os.WNOHANG)
    return _start_token(pid) == values.get("started") is not None


def _same(one: dict[str, Any], other: dict[str, Any]) -> bool:
    return (one.get("pid"), one.get("started")) == (other.get("pid"), other.get("started"))


def _registry() -> Path:
    """Return where this user's machines are listed: beside the caches, but nobody clears it."""
    root = os.environ.get("MCUGEN_CACHE_DIR")
    if not root:
        mac = sys.platform == "darwin"
        base = "~/Library/Caches" if mac else os.environ.get("XDG_CACHE_HOME") or "~/.cache"
        root = os.path.join(base, "mcugen")
    return Path(root).expanduser() / "simulators"


def _register(state: Path, values: dict[str, Any]) -> None:
    """List a machine. One that cannot be listed runs all the same."""
    with contextlib.suppress(OSError):
        _registry().mkdir(parents=True, exist_ok=True)
        _write_json(_registry() / f"{values['pid']}.json", {**values, "state": str(state)})


def unregister(values: dict[str, Any]) -> None:
    """Take a machine off the list."""
    path = _registry() / f"{values.get('pid')}.json"
    if _same(_read_json(path) or {}, values):
        path.unlink(missing_ok=True)


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
def locked(state: Path, *, create: bool = True) -> Iterator[None]:
    """Let one start or stop at a time touch the session of `state`.

    create: False where the folder may be gone, or about to go: without a lock file, no lock.
    """
    path = state.with_name(state.name + ".lock")
    with contextlib.ExitStack() as stack:
        try:
            lock = stack.enter_context(open(path, "w" if create else "r"))
        except FileNotFoundError:
            if create:
                raise
        else:
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
    for name in ("start", "stop", "status", "list"):
        command = commands.add_parser(name)
        if name == "stop":
            which = command.add_mutually_exclusive_group(required=True)
            which.add_argument("--state", type=Path)
            which.add_argument("--all", action="store_true")
        elif name != "list":
            command.add_argument("--state", type=Path, required=True)
        if name == "start":
            command.add_argument("--elf", type=Path, required=True)
            command.add_argument("--machine", required=True)
            command.add_argument("--cpu")
            command.add_argument("--serial-index", type=int, default=0)
            command.add_argument("--extra", action="append", default=[])
            command.add_argument("--min-version")
            command.add_argument("--shared-ram-mib", type=int)
            command.add_argument("--pty", action="store_true")
            until = command.add_mutually_exclusive_group()
            until.add_argument("--idle-minutes", type=float)
            until.add_argument("--owner", type=int, metavar="PID")
    arguments = parser.parse_args(argv)
    try:
        return _run(arguments)
    except SessionError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1


def _run(arguments: argparse.Namespace) -> int:
    if arguments.command == "start":
        values = start(
            elf=arguments.elf,
            machine=arguments.machine,
            serial_index=arguments.serial_index,
            state=arguments.state,
            cpu=arguments.cpu,
            extra=arguments.extra,
            min_version=arguments.min_version,
            shared_ram_mib=arguments.shared_ram_mib,
            idle_minutes=arguments.idle_minutes,
            owner=arguments.owner,
            pty=arguments.pty,
        )
        print(f"{QEMU} -M {values['machine']} runs {arguments.elf}; console: {values['url']}")
    elif arguments.command == "stop" and arguments.all:
        print(f"stopped {stop_all()}")
    elif arguments.command == "stop":
        print("stopped" if stop(state=arguments.state) else "no session")
    elif arguments.command == "list":
        print(json.dumps(registered(), indent=2))
    else:
        found = status(state=arguments.state)
        print(json.dumps(found, indent=2) if found else "no session")
        return 0 if found else 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
