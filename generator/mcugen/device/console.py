# SPDX-License-Identifier: BSD-3-Clause
"""A serial port, or QEMU's stand-in for one."""

from __future__ import annotations

import contextlib
import errno
import os
import select
import time
from pathlib import Path

from mcugen.base.errors import DeviceTimeoutError, DisconnectedError

WRITE_TIMEOUT_S = 10.0
_MODEM_MANAGER = "ModemManager"


class PortRefusedError(DisconnectedError):
    """The port is there, and another program's or another user's."""


class SerialConsole:
    """A serial port, or anything else pyserial opens by URL (`socket://`, `rfc2217://`, a pty)."""

    def __init__(self, port: str, baud: int) -> None:
        """Open it for this process alone.

        Raises DisconnectedError: it does not exist, is taken (by whom), or may not be opened.
        """
        import serial

        self._name = port
        try:
            # timeout=0: reads never block inside pyserial; `read` waits by itself.
            self._port = serial.serial_for_url(
                port,
                baudrate=baud,
                timeout=0,
                write_timeout=WRITE_TIMEOUT_S,
                exclusive=None if "://" in port else True,
            )
        except (serial.SerialException, OSError, ValueError) as error:
            raise _open_error(port, error) from None
        try:
            self._fd: int | None = self._port.fileno()
        except (AttributeError, OSError, ValueError):
            self._fd = None

    @property
    def name(self) -> str:
        """The port as it was named."""
        return self._name

    @property
    def fd(self) -> int | None:
        """What to wait for until there is something to read; None where nothing tells."""
        return self._fd if os.name == "posix" else None

    def write(self, data: bytes) -> None:
        """Send all of it. Raises DisconnectedError, DeviceTimeoutError."""
        import serial

        try:
            self._port.write(data)
        except serial.SerialTimeoutException:
            raise DeviceTimeoutError(
                f"{self._name} took no data for {WRITE_TIMEOUT_S:.0f} s"
            ) from None
        except (serial.SerialException, OSError) as error:
            raise self._gone(error) from None

    def read(self, timeout_s: float) -> bytes:
        """Return what has come, waiting up to `timeout_s` for the first byte."""
        import serial

        deadline = time.monotonic() + timeout_s
        try:
            if self._fd is not None and os.name == "posix":
                select.select([self._fd], [], [], max(timeout_s, 0))
                return bytes(self._port.read(4096))
            while True:
                data = bytes(self._port.read(4096))
                if data or time.monotonic() >= deadline:
                    return data
                time.sleep(0.001)
        except (serial.SerialException, OSError) as error:
            raise self._gone(error) from None

    def close(self) -> None:
        """Give the port back."""
        with contextlib.suppress(OSError):
            self._port.close()

    def _gone(self, error: Exception) -> DisconnectedError:
        return DisconnectedError(
            f"{self._name}: the connection to the device was lost ({error})",
            hint="Check the cable and that no other program uses the port.",
        )


def _open_error(port: str, error: Exception) -> DisconnectedError:
    number = getattr(error, "errno", None)
    text = str(error)
    if number in (errno.EBUSY, errno.EAGAIN) or "exclusively lock" in text:
        holders = port_holders(port)
        by = f" by {', '.join(holders)}" if holders else " by another program"
        hint = "Close that program (a serial monitor, another mcugen) and try again."
        if _MODEM_MANAGER in by or not holders:
            hint = (
                f"{hint} {_MODEM_MANAGER} opens ports that are new for some seconds, to look for "
                f"modems: wait, or keep it away: sudo systemctl stop {_MODEM_MANAGER}"
            )
        return PortRefusedError(f"{port} is taken{by}", hint=hint)
    if number == errno.ENOENT or "No such file" in text:
        return DisconnectedError(
            f"there is no serial port {port}", hint="'mcugen devices' lists what is attached."
        )
    if number == errno.EACCES or "Permission denied" in text:
        owner = owner_of(port)
        group = owner[1] if owner and owner[1] != "root" else "dialout"
        return PortRefusedError(
            f"no permission to open {port} ({whose(port)})",
            hint=f"Join the group, sudo usermod -aG {group} $USER, and log in again; or install "
            "the rules that 'mcugen doctor --udev' prints.",
        )
    return DisconnectedError(f"{port} cannot be opened: {text}")


def owner_of(path: str) -> tuple[str, str, int] | None:
    """Return owner, group and mode of a device file; None where the system does not tell them."""
    try:
        import grp
        import pwd

        found = os.stat(path)
    except (ImportError, OSError):
        return None
    owner, group = str(found.st_uid), str(found.st_gid)
    with contextlib.suppress(KeyError):
        owner = pwd.getpwuid(found.st_uid).pw_name
    with contextlib.suppress(KeyError):
        group = grp.getgrgid(found.st_gid).gr_name
    return owner, group, found.st_mode & 0o777


def whose(path: str) -> str:
    """Return "root:dialout, mode 0660", or "not known whose"."""
    found = owner_of(path)
    return f"{found[0]}:{found[1]}, mode {found[2]:04o}" if found else "not known whose"


def port_holders(port: str) -> tuple[str, ...]:
    """Return "name (pid N)" of the processes that have `port` open, as far as Linux tells us."""
    real = os.path.realpath(port)
    found: list[str] = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if any(os.readlink(fd) == real for fd in (folder / "fd").iterdir()):
                name = (folder / "comm").read_text(encoding="utf-8").strip()
                found.append(f"{name} (pid {folder.name})")
        except OSError:
            continue  # another user's process, or one that just ended
    return tuple(found)
