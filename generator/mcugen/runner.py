# SPDX-License-Identifier: BSD-3-Clause
"""The generic image: all operators, the model comes over the serial link or is placed in memory."""

from __future__ import annotations

import contextlib
import struct
import tempfile
import zlib
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from mcugen import project
from mcugen.boards import BoardSpec
from mcugen.device import QemuMachine, SerialConsole
from mcugen.errors import DeviceError, DeviceTimeoutError, ProtocolError
from mcugen.protocol import Client, Deadlines, DeviceInfo, Transcript

MODEL_NAME = "runner"
_MAGIC = b"MCGM"


def write_runner_project(board: BoardSpec, root: Path) -> project.FirmwareProject:
    """Write the project of the board's runner into `root`, as project.write_project() does."""
    firmware_id = project.firmware_id_of(project.runner_files(board))
    files = project.runner_files(board, firmware_id)
    return project.place_project(files, board, root, firmware_id=firmware_id, model_name=MODEL_NAME)


def arena_address(elf: Path) -> int:
    """Return where a runner's image looks for a model when it starts."""
    from elftools.elf.elffile import ELFFile

    with open(elf, "rb") as file:
        table = ELFFile(file).get_section_by_name(".symtab")
        symbols = table.get_symbol_by_name("__arena_start") if table is not None else None
    if not symbols:
        raise DeviceError(f"{elf} is not a runner: it has no arena")
    return int(symbols[0]["st_value"])


def placed_model(pte: bytes) -> bytes:
    """Return what has to lie at `arena_address` for the runner to load `pte` when it starts."""
    return _MAGIC + struct.pack("<III", len(pte), zlib.crc32(pte), 0) + pte


class Runner:
    """A device that runs a runner: give it a model, then inputs.

    Errors: DeviceError with the device's own line when it refuses; DeviceTimeoutError.
    """

    def __init__(self, client: Client) -> None:
        self.client = client
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
            machine = QemuMachine(board, elf, folder / "session.json", extra)
            stack.callback(machine.stop)
            console = SerialConsole(machine.start(), board.console.baud)
            stack.callback(console.close)
            record = Transcript(transcript)
            stack.callback(record.close)
            runner = cls(Client(console, record, deadlines or Deadlines()))
            info = runner.client.connect()
            if info.runner is None:
                raise DeviceError(f"{elf} is not a runner: it has a model of its own")
            runner._cleanup = stack.pop_all()
            return runner

    def push(
        self, pte: bytes, method: str = "", *, advance: Callable[[int], None] | None = None
    ) -> DeviceInfo:
        """Send a `.pte`, load `method` ("": "forward" or the first) and return what is loaded."""
        self.client.write_model(pte, advance=advance)
        self.client.load_model(len(pte), zlib.crc32(pte), method)
        return self.client.info()

    def run(self, inputs: Sequence[bytes]) -> list[bytes]:
        """Run one inference. Fewer inputs than the model has: the others stay as they are."""
        return self.run_timed(inputs)[0]

    def run_timed(self, inputs: Sequence[bytes]) -> tuple[list[bytes], int]:
        """Run one inference; return the outputs and its raw ticks."""
        for index, data in enumerate(inputs):
            self.client.write_input(index, data)
        ticks = self.client.execute()
        info = self.client.info()
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
