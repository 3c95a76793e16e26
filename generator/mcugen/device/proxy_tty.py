# SPDX-License-Identifier: BSD-3-Clause
"""A pseudo-terminal that stands for a device's port, so that one can listen in between."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

from mcugen.base.errors import ConfigError, DeviceError

_HELD_BYTES = 1 << 16


class ProxyTty:
    """A tty for another program; this process is what it takes for the device.

    Its own end stays open, too: a program may come, go and come again, and the terminal stays raw.
    """

    def __init__(self, link: Path | None = None) -> None:
        """Make it. link: a symbolic link to it, of a name that stays.

        Raises DeviceError, ConfigError: `link` is there and is no link.
        """
        import pty
        import tty

        try:
            self.fd, self._other = pty.openpty()
        except OSError as error:
            raise DeviceError(f"this system gives no pseudo-terminal: {error}") from None
        tty.setraw(self._other)
        os.set_blocking(self.fd, False)
        self.path = os.ttyname(self._other)
        self.dropped_bytes = 0  #: of the device, because nobody has read them
        self._pending = bytearray()
        self._link = link
        if link is not None:
            if link.exists() and not link.is_symlink():
                self.close()
                raise ConfigError(f"{link} is there and is not a link", hint="Give another --link.")
            link.unlink(missing_ok=True)
            link.symlink_to(self.path)

    @property
    def has_pending(self) -> bool:
        """Whether there is more to `flush` when `fd` takes it."""
        return bool(self._pending)

    def read(self) -> bytes:
        """Return what the other program has written; b"" if nothing."""
        try:
            return os.read(self.fd, 4096)
        except BlockingIOError:
            return b""

    def write(self, data: bytes) -> None:
        """Hand the device's bytes on; what nobody reads for 64 KB is dropped, the oldest first."""
        self._pending += data
        self.flush()
        if (more := len(self._pending) - _HELD_BYTES) > 0:
            del self._pending[:more]
            self.dropped_bytes += more

    def flush(self) -> None:
        """Write what waits, as far as the terminal takes it."""
        with contextlib.suppress(BlockingIOError):
            while self._pending:
                del self._pending[: os.write(self.fd, self._pending)]

    def close(self) -> None:
        """Take the terminal and the link to it away."""
        if self._link is not None and self._link.is_symlink():
            with contextlib.suppress(OSError):
                if os.readlink(self._link) == self.path:
                    self._link.unlink()
        for fd in (self.fd, self._other):
            with contextlib.suppress(OSError):
                os.close(fd)
