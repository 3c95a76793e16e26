# SPDX-License-Identifier: BSD-3-Clause
"""The device that is meant: found, flashed, connected."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from mcugen.base.errors import DeviceError, DeviceTimeoutError, FlashError, McugenError
from mcugen.flow.building import Built, slug
from mcugen.flow.flashing import (
    attached,
    can_flash,
    console_of,
    find_target,
    flash_board,
    held,
)
from mcugen.flow.settings import Settings

if TYPE_CHECKING:
    from mcugen.device.console_port import ConsolePort
    from mcugen.device.find import UsbDevice
    from mcugen.device.protocol.client import Client
    from mcugen.device.protocol.info import DeviceInfo
    from mcugen.device.protocol.transcript import Transcript
    from mcugen.device.route import Route
    from mcugen.flow.terminal import Terminal


@dataclass(frozen=True)
class Link:
    """An open connection to the device that runs a build."""

    client: Client
    info: DeviceInfo
    simulated: bool
    transcript: Path
    port: ConsolePort | None = None  #: of a real device


@contextlib.contextmanager
def connect(
    settings: Settings,
    built: Built,
    terminal: Terminal,
    command: str,
    *,
    flash_first: bool = False,
    again: bool = False,
    known: ConsolePort | None = None,
) -> Iterator[Link]:
    """Connect to a device that runs `built`; whatever happens, nothing is left running or open.

    Simulated: the machine `mcugen flash --simulate` left running, if it runs this very image, else
    one of our own. Real: the board is flashed if it runs something else, or if `flash_first`;
    where no probe is known to be the board's, what is wrong with the device is the error.

    Args:
        again: the transcript goes on.
        known: the port that the device had, which may have another name by now.
    """
    from mcugen.device.measure import check_device
    from mcugen.device.protocol.client import Client
    from mcugen.device.protocol.transcript import Transcript
    from mcugen.project.last_build import out_dir

    path = (
        out_dir(settings.root)
        / "transcripts"
        / (f"{slug(built.artifact.name)}-{built.board.id}-{command}.txt")
    )
    transcript = Transcript(path, append=again)
    transcript.note(
        f"mcugen {command}: {built.artifact.name} on {built.board.id}, "
        f"firmware {built.image.firmware_id}"
    )
    try:
        if settings.simulate:
            with _simulated_console(built, terminal) as console:
                client = Client(console, transcript, settings.deadlines)
                info = client.connect()
                check_device(info, built.artifact, built.image.firmware_id, log_path=path)
                yield Link(client, info, True, path)
            return
        if known is not None:
            settings = _renamed(settings, known)
        with _real_link(settings, built, terminal, transcript, path, flash_first) as link:
            check_device(link.info, built.artifact, built.image.firmware_id, log_path=path)
            yield link
    except McugenError as error:
        if error.log_path is None and path.exists():
            error.log_path = path
        raise
    finally:
        transcript.close()


@contextlib.contextmanager
def _real_link(
    settings: Settings,
    built: Built,
    terminal: Terminal,
    transcript: Transcript,
    path: Path,
    flash_first: bool,
) -> Iterator[Link]:
    from mcugen.device.flash import check_flashed, opened_after_flashing
    from mcugen.device.protocol.client import Client

    baud, firmware_id = built.board.console.baud, built.image.firmware_id

    def devices() -> tuple[UsbDevice, ...]:
        return attached(settings)

    def flashed() -> Route:
        return flash_board(settings, built.image, target, terminal)

    target = find_target(settings)
    port = console_of(settings, target)
    with held(settings, target), contextlib.ExitStack() as stack:
        route = None
        if not flash_first:
            terminal.stage(f"connect to {port.name}")
            console = port.open(baud, devices)
            stack.callback(console.close)
            client = Client(console, transcript, settings.deadlines)
        if flash_first or (can_flash(settings, target) and not _runs(client, firmware_id)):
            stack.close()
            route = flashed()
            console = opened_after_flashing(port, baud, devices)
            stack.callback(console.close)
            terminal.stage(f"connect to {console.name}")
            client = Client(console, transcript, settings.deadlines)
        info = client.connect()
        if route is not None:
            check_flashed(info, firmware_id, console.name, route)
        yield Link(client, info, False, path, port)


def _renamed(settings: Settings, known: ConsolePort) -> Settings:
    """Return settings that name the device by what its port is called now."""
    now = known.current(attached(settings))
    if now is None or now == known.name:
        return settings
    device, port = (now if n == known.name else n for n in (settings.device, settings.port))
    return replace(settings, device=device, port=port)


#: Seconds before each try to connect to a device that went away: a board may be plugged in again.
PAUSES_S = (0.0, 1.0, 2.0, 4.0, 8.0)


class Reconnecting:
    """The device that runs a build, connected again when it goes away: `link` is the present one.

    losses: what was lost and found again, for the report.
    """

    def __init__(self, connect: Callable[[Link | None], AbstractContextManager[Link]]) -> None:
        """Connect by `connect(lost)`, which is told what was lost; None: it is the first time."""
        self._connect = connect
        self._stack = contextlib.ExitStack()
        self.losses: list[str] = []
        self.link = self._stack.enter_context(connect(None))

    def again(self, error: McugenError, sample: int, say: Callable[[str], None]) -> Client:
        """Return a client of the device that was lost; as many tries as there are PAUSES_S.

        Raises `error` if the device does not come back.
        """
        with contextlib.suppress(McugenError):  # that it is gone is known
            self._stack.close()
        what = error.message.partition("; ")[0].partition("\n")[0]
        say(f"lost the device at sample {sample} ({what}); connecting again")
        for number, pause_s in enumerate(PAUSES_S, 1):
            time.sleep(pause_s)
            try:
                self.link = self._stack.enter_context(self._connect(self.link))
            except (DeviceError, DeviceTimeoutError, FlashError) as still:
                say(f"try {number} of {len(PAUSES_S)}: {still.message.partition(chr(10))[0]}")
                continue
            tries = f"{number} tries" if number > 1 else "one try"
            self.losses.append(f"at sample {sample}: {what}; connected again after {tries}")
            return self.link.client
        error.message += f"\nIt did not come back in {len(PAUSES_S)} tries."
        raise error

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *raised: Any) -> None:
        self._stack.__exit__(*raised)


@contextlib.contextmanager
def _simulated_console(built: Built, terminal: Terminal) -> Iterator[Any]:
    from mcugen.device import qemu
    from mcugen.device.console import SerialConsole

    session = running_session(built)
    if session is not None:
        terminal.stage(f"connect to the running simulator, {session.url}")
        console = SerialConsole(session.url, built.board.console.baud)
        try:
            yield console
        finally:
            console.close()
        return
    assert built.board.qemu is not None
    terminal.stage(f"start QEMU ({built.board.qemu.machine})")
    with qemu.simulated_console(built.board, built.image.elf) as console:
        yield console


def running_session(built: Built) -> Any:
    """Return the simulator `mcugen flash --simulate` started, if it runs this image."""
    from mcugen.base import cache
    from mcugen.device import qemu

    session = qemu.running_session(qemu.session_path(built.image.project.root))
    if session is None or session.elf_sha256 != cache.file_sha256(built.image.elf):
        return None
    return session


def _runs(client: Client, firmware_id: str) -> bool:
    from mcugen.base.errors import DeviceError, DeviceTimeoutError
    from mcugen.device.protocol.client import Deadlines

    patience, client.deadlines = client.deadlines, Deadlines(3.0, 3.0, 3.0)
    try:
        return client.connect().firmware_id == firmware_id
    except (DeviceError, DeviceTimeoutError):
        return False  # Blank, another program, or an old protocol: flashing settles it.
    finally:
        client.deadlines = patience
