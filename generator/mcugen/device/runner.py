# SPDX-License-Identifier: BSD-3-Clause
"""A device that runs the generic image: models come over the link, or into its memory."""

from __future__ import annotations

import contextlib
import mmap
import tempfile
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from mcugen.base.errors import DeviceError, DeviceTimeoutError, ProtocolError
from mcugen.boards.spec import BoardSpec
from mcugen.device.console import SerialConsole
from mcugen.device.protocol.client import Client, Deadlines
from mcugen.device.protocol.info import DeviceInfo
from mcugen.device.protocol.transcript import Transcript
from mcugen.device.qemu import QemuMachine, running_session
from mcugen.project.runner import arena_address, placed_model

_HEADER_BYTES = 16
_ALIGNMENT = 16  # of each staged input


@dataclass(frozen=True)
class SharedArena:
    """The part of a simulated machine's RAM that is a runner's arena, as a file."""

    ram: Path
    start: int  #: of the arena in the file

    @classmethod
    def of(cls, board: BoardSpec, elf: Path, ram: Path) -> SharedArena:
        """Return the arena of the runner `elf` in the file that is the machine's RAM."""
        return cls(ram, arena_address(elf) - board.arena_region.start)

    def write_model(self, pte: bytes) -> None:
        """Put a `.pte` into the machine's memory. The runner must not hold one."""
        self._write(_HEADER_BYTES, pte)

    def write_inputs(self, info: DeviceInfo, inputs: Sequence[bytes]) -> None:
        """Stage inputs of the model that is loaded. Raises DeviceError if they do not fit it."""
        offset = info.io_offset
        if not offset:
            raise DeviceError(f"the runner has no inputs: {info.error}")
        for index, data in enumerate(inputs):
            size = info.inputs[index][1] if index < len(info.inputs) else 0
            if len(data) > size:
                raise DeviceError(f"input {index} has {len(data):,} B; the model takes {size:,} B")
            self._write(offset, data)
            offset += -(-size // _ALIGNMENT) * _ALIGNMENT

    def _write(self, offset: int, data: bytes) -> None:
        begin = self.start + offset
        with open(self.ram, "r+b") as file, mmap.mmap(file.fileno(), 0) as memory:
            if len(data) > len(memory) - begin:
                raise DeviceError(
                    f"{len(data):,} B do not fit the simulated machine's memory for models, "
                    f"which has {len(memory) - begin:,} B from there on"
                )
            memory[begin : begin + len(data)] = data


class Runner:
    """A device that runs a runner: give it a model, then inputs.

    Errors: DeviceError with the device's own line when it refuses; DeviceTimeoutError.
    """

    def __init__(self, client: Client, arena: SharedArena | None = None) -> None:
        """Talk to a device that runs. arena: its memory, where it is simulated and shares that."""
        self.client = client
        self.arena = arena
        self._cleanup = contextlib.ExitStack()

    @classmethod
    def simulate(
        cls,
        board: BoardSpec,
        elf: Path,
        *,
        placed: bytes | None = None,
        transcript: Path | None = None,
        deadlines: Deadlines | None = None,
    ) -> Runner:
        """Start the board's QEMU machine; `close()` ends it.

        Args:
            placed: a `.pte` that lies in memory when the device starts.
        """
        with contextlib.ExitStack() as stack:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="mcugen-qemu-")))
            extra: tuple[str, ...] = ()
            if placed is not None:
                file = folder / "model.bin"
                file.write_bytes(placed_model(placed))
                address = arena_address(elf)
                extra = ("-device", f"loader,file={file},addr={address:#x},force-raw=on")
            machine = QemuMachine(board, elf, folder / "session.json", extra, shared_arena=True)
            stack.callback(machine.stop)
            console = SerialConsole(machine.start(), board.console.baud)
            stack.callback(console.close)
            record = Transcript(transcript)
            stack.callback(record.close)
            session = running_session(machine.state_path)
            ram = session.ram if session is not None else None
            arena = SharedArena.of(board, elf, ram) if ram is not None else None
            runner = cls(Client(console, record, deadlines or Deadlines()), arena)
            info = runner.client.connect()
            if info.runner is None:
                raise DeviceError(f"{elf} is not a runner: it has a model of its own")
            runner._cleanup = stack.pop_all()
            return runner

    def push(
        self, pte: bytes, method: str = "", *, advance: Callable[[int], None] | None = None
    ) -> DeviceInfo:
        """Send a `.pte`, load `method` ("": "forward" or the first) and return what is loaded.

        Where the arena is shared, the `.pte` is written there rather than sent.
        """
        if self.arena is None:
            self.client.write_model(pte, advance=advance)
        else:
            self.client.unload_model()
            self.arena.write_model(pte)
        self.client.load_model(len(pte), zlib.crc32(pte), method)
        return self.client.info()

    def run(self, inputs: Sequence[bytes]) -> list[bytes]:
        """Run one inference. Fewer inputs than the model has: the others stay as they are."""
        return self.run_timed(inputs)[0]

    def run_timed(self, inputs: Sequence[bytes]) -> tuple[list[bytes], int]:
        """Run one inference; return the outputs and its raw ticks."""
        info = self.client.info()
        if self.arena is None or info.state != "ready" or not info.io_offset:
            for index, data in enumerate(inputs):
                self.client.write_input(index, data)
        else:
            self.arena.write_inputs(info, inputs)
        ticks = self.client.execute()
        outputs = [
            self.client.read_output(index, size) for index, (_, size) in enumerate(info.outputs)
        ]
        return outputs, ticks

    def alive(self) -> bool:
        """Tell whether the device still answers."""
        patience, self.client.deadlines = self.client.deadlines, Deadlines(2.0, 2.0, 2.0)
        try:
            self.client.connect()
        except (DeviceError, DeviceTimeoutError, ProtocolError):
            return False
        finally:
            self.client.deadlines = patience
        return True

    def close(self) -> None:
        """End the machine, if it is ours."""
        self._cleanup.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
