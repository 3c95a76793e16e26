# SPDX-License-Identifier: BSD-3-Clause
"""An ELF on a Cortex-M without peripherals (Unicorn), over the registers of a chip's model.

A write to a peripheral stops the CPU: the store is made by a step of its own and the chip then says
what became of it. Reads are plain memory, so that polls run at full speed, but for those that
count or are taken off a queue. What is neither the board's memory nor in the chip's tables is not
there: any access to it ends the run.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from functools import cache
from itertools import pairwise
from pathlib import Path

import unicorn
from chip import Chip
from core_registers import CORE_REGISTERS, CYCCNT, NVIC_ISER, SYST_CVR, VTOR
from elftools.elf.elffile import ELFFile
from unicorn import arm_const

from mcugen.boards.spec import BoardSpec, MemoryKind

_CPUS = {
    "cortex-m0plus": arm_const.UC_CPU_ARM_CORTEX_M0,
    "cortex-m0": arm_const.UC_CPU_ARM_CORTEX_M0,
    "cortex-m3": arm_const.UC_CPU_ARM_CORTEX_M3,
    "cortex-m4": arm_const.UC_CPU_ARM_CORTEX_M4,
    "cortex-m7": arm_const.UC_CPU_ARM_CORTEX_M7,
    "cortex-m33": arm_const.UC_CPU_ARM_CORTEX_M33,
}
_PAGE = 0x1000
_RETURN = 0x1E00_0000  # where a called handler returns to
# A poll is a dozen instructions: the longest bounded wait takes 0.1 s here.
_WAIT_S: float = 8
_STORED_CONTEXT = (
    *(arm_const.UC_ARM_REG_R0, arm_const.UC_ARM_REG_R1, arm_const.UC_ARM_REG_R2),
    *(arm_const.UC_ARM_REG_R3, arm_const.UC_ARM_REG_R12, arm_const.UC_ARM_REG_LR),
    *(arm_const.UC_ARM_REG_PC, arm_const.UC_ARM_REG_XPSR, arm_const.UC_ARM_REG_SP),
)


Segments = tuple[tuple[int, bytes], ...]
Functions = tuple[tuple[int, int, str], ...]


@cache
def _read_elf(path: Path) -> tuple[Segments, Functions]:
    """What is flashed and where; functions' first and last address and name."""
    with path.open("rb") as file:
        elf = ELFFile(file)
        segments = tuple(
            (segment["p_paddr"], segment.data())
            for segment in elf.iter_segments()
            if segment["p_type"] == "PT_LOAD" and segment["p_filesz"]
        )
        functions = tuple(
            (symbol["st_value"] & ~1, (symbol["st_value"] & ~1) + symbol["st_size"], symbol.name)
            for symbol in elf.get_section_by_name(".symtab").iter_symbols()
            if symbol["st_info"]["type"] == "STT_FUNC"
        )
    return segments, functions


class BootError(AssertionError):
    """What the image did that no board would forgive, and where."""


class Machine:
    """A board from reset on."""

    def __init__(self, board: BoardSpec, elf: Path, chip: Chip) -> None:
        self.board = board
        self.chip = chip
        self.sent = bytearray()
        self._trouble: str | None = None
        self._stepping = False
        self._written: list[tuple[int, int, int]] = []
        self._counts = 0
        self._sinks = chip.sinks()
        self.uc = unicorn.Uc(unicorn.UC_ARCH_ARM, unicorn.UC_MODE_THUMB | unicorn.UC_MODE_MCLASS)
        self.uc.ctl_set_cpu_model(_CPUS[board.cpu])
        self._words = dict(CORE_REGISTERS) | chip.words()
        self._map_memory()
        self._load(elf)
        self._map_registers()
        stack, self._pc = struct.unpack("<II", self.uc.mem_read(self._vectors(), 8))
        self.uc.reg_write(arm_const.UC_ARM_REG_SP, stack)
        chip.attach(self.word, self._put, self.sent.append, self.uc.mem_read, self._put_byte)

    def word(self, address: int) -> int:
        """Value of a register."""
        return int.from_bytes(self.uc.mem_read(address, 4), "little")

    def run_until(self, text: bytes) -> bytes:
        """Run until `text` has been sent; return what was, up to and with it.

        Raises BootError for an access that nothing answers, a fault, a wait without end, or when
        the core goes to sleep first.
        """
        while text not in self.sent:
            if not self._advance() and text not in self.sent:
                raise BootError(
                    f"asleep at {self._where()} without {text!r}; sent {bytes(self.sent)!r}"
                )
        end = self.sent.index(text) + len(text)
        found = bytes(self.sent[:end])
        del self.sent[:end]
        return found

    def run_until_asleep(self) -> None:
        """Run until it waits for the host: by WFI, or where the chip must not, in its loop."""
        if not self.chip.sleeps:
            self._advance(count=20_000)
            return
        while self._advance():
            pass

    def interrupt(self, number: int) -> None:
        """Take an external interrupt, as the core does in WFI with interrupts masked."""
        if not self.word(NVIC_ISER + number // 32 * 4) >> number % 32 & 1:
            raise BootError(f"interrupt {number} is not enabled in the NVIC")
        saved = [self.uc.reg_read(register) for register in _STORED_CONTEXT]
        pc = self._pc
        self.uc.reg_write(arm_const.UC_ARM_REG_LR, _RETURN | 1)
        self._pc = self.word(self.word(VTOR) + 4 * (16 + number))
        while self._pc & ~1 != _RETURN:
            if not self._advance():
                raise BootError(f"the handler of interrupt {number} sleeps at {self._where()}")
        for register, value in zip(_STORED_CONTEXT, saved, strict=True):
            self.uc.reg_write(register, value)
        self._pc = pc

    def _vectors(self) -> int:
        return self.chip.vectors(self.board.region_for("code").start)

    def _map_memory(self) -> None:
        for region in (*self.board.regions, *self.chip.other_memory(self.board)):
            flash = region.kind is MemoryKind.FLASH
            rights = unicorn.UC_PROT_READ | (
                unicorn.UC_PROT_EXEC if flash else unicorn.UC_PROT_WRITE | unicorn.UC_PROT_EXEC
            )
            size = -(-region.size_bytes // _PAGE) * _PAGE
            self.uc.mem_map(region.start, size, rights)
        self.uc.mem_map(_RETURN, _PAGE)
        self.uc.mem_write(_RETURN, b"\xfe\xe7" * 8)  # never run

    def _load(self, path: Path) -> None:
        segments, self._functions = _read_elf(path)
        for address, data in segments:
            self.uc.mem_write(address, data)

    def _map_registers(self) -> None:
        pages = sorted({address & -_PAGE for address in self._words})
        for page in pages:
            self.uc.mem_map(page, _PAGE, unicorn.UC_PROT_READ | unicorn.UC_PROT_WRITE)
            here = sorted(a for a in self._words if a & -_PAGE == page)
            ends = [page - 4, *here, page + _PAGE]
            for before, after in pairwise(ends):
                if after - before > 4:
                    self._hook(unicorn.UC_HOOK_MEM_READ, self._no_such, before + 4, after - 1)
            last = page + _PAGE - 1
            self._hook(unicorn.UC_HOOK_MEM_WRITE, self._on_write, page, last)
        for address, value in self._words.items():
            self._put(address, value)
        for address in (SYST_CVR, CYCCNT):
            self._hook(unicorn.UC_HOOK_MEM_READ, self._on_count, address, address + 3)
        for address in self.chip.read_effects():
            self._hook(unicorn.UC_HOOK_MEM_READ, self._on_read, address, address + 3)
        self.uc.hook_add(unicorn.UC_HOOK_MEM_UNMAPPED | unicorn.UC_HOOK_MEM_PROT, self._on_unmapped)
        self.uc.hook_add(unicorn.UC_HOOK_INTR, self._on_exception)

    def _hook(self, kind: int, function: Callable[..., object], begin: int, end: int) -> None:
        self.uc.hook_add(kind, function, begin=begin, end=end)

    def _put(self, address: int, value: int) -> None:
        self.uc.mem_write(address, (value & 0xFFFFFFFF).to_bytes(4, "little"))

    def _put_byte(self, address: int, value: int) -> None:
        self.uc.mem_write(address, bytes([value]))

    def _advance(self, count: int = 0) -> bool:
        """Go on up to the next write to a register; False when the core has gone to sleep."""
        self._start(timeout=int(_WAIT_S * 1_000_000), count=count)
        if self.uc.query(unicorn.UC_QUERY_TIMEOUT):
            raise BootError(f"a wait without end at {self._where()}")
        if not self._written:
            return bool(count) or not self._sleeping()
        self._written.clear()
        self._stepping = True
        # Else a block that begins here, translated before, is run to its end.
        self.uc.ctl_remove_cache(self._pc & ~1, (self._pc & ~1) + 4)
        self._start(count=1)
        self._stepping = False
        for address, size, _ in self._written:
            self.chip.written(address & ~3, self._where, size)
        self._written.clear()
        return True

    def _start(self, timeout: int = 0, count: int = 0) -> None:
        try:
            self.uc.emu_start(self._pc | 1, _RETURN, timeout=timeout, count=count)
        except unicorn.UcError as error:
            self._trouble = self._trouble or str(error)
        self._pc = self.uc.reg_read(arm_const.UC_ARM_REG_PC)
        if self._trouble:
            raise BootError(f"{self._trouble} at {self._where()}; sent {bytes(self.sent)!r}")

    def _sleeping(self) -> bool:
        """Whether it stands behind a WFI."""
        if self._pc == _RETURN:
            return False
        before = bytes(self.uc.mem_read(self._pc - 2, 2))
        here = bytes(self.uc.mem_read(self._pc, 2))
        if here == b"\x30\xbf":
            self._pc += 2
        elif before != b"\x30\xbf":
            raise BootError(f"stopped at {self._where()}")
        return True

    def _where(self) -> str:
        pc = self._pc & ~1
        name = next((n for start, end, n in self._functions if start <= pc < end), "?")
        return f"{pc:#x} ({name})"

    def _stop(self, trouble: str) -> None:
        self._trouble = self._trouble or trouble
        self.uc.emu_stop()

    def _no_such(self, uc: object, kind: int, address: int, size: int, *_: object) -> None:
        self._stop(f"reads {address:#x}, where {self.chip.name}'s table has no register")

    def _on_write(
        self, uc: object, kind: int, address: int, size: int, value: int, *_: object
    ) -> None:
        if (address & ~3) not in self._words:
            self._stop(f"writes {address:#x}, where {self.chip.name}'s table has no register")
        if address & ~3 in CORE_REGISTERS:
            return  # nothing follows from it
        if address in self._sinks:
            self.chip.sink(value & 0xFF)
            return
        self._written.append((address, size, value))
        if not self._stepping:
            self.uc.emu_stop()

    def _on_count(self, uc: object, kind: int, address: int, *_: object) -> None:
        self._counts += 20
        down = (1 << 21) - 1 - self._counts % (1 << 21)
        self._put(address, down if address == SYST_CVR else self._counts)

    def _on_read(self, uc: object, kind: int, address: int, *_: object) -> None:
        self.chip.read(address & ~3)

    def _on_unmapped(self, uc: object, kind: int, address: int, size: int, *_: object) -> bool:
        self._stop(f"accesses {address:#x}, which is no memory of {self.board.id}")
        return False

    def _on_exception(self, uc: object, number: int, *_: object) -> None:
        self._stop(f"exception {number}")
