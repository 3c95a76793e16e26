# SPDX-License-Identifier: BSD-3-Clause
"""What the models of chips have in common: named registers, ready bits, rules, a console.

A model is written from the reference manual, not from the firmware: its clock tree is computed back
from the registers that the firmware has left, and what the manual forbids on the way is a problem.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from core_registers import CCR

from mcugen.boards.spec import BoardSpec, MemoryRegion


@dataclass(frozen=True)
class Ready:
    """A status bit that follows a control bit, unless what it tells of is dead."""

    name: str  # of what comes up: HSE, PLL, …
    control: str
    on: int
    status: str
    ready: int


@dataclass(frozen=True)
class Clocks:
    """What the registers amount to."""

    core_hz: int
    source: str  # as `info` has it: pll, hse, hsi, …
    uart_hz: int


class Chip:
    """Registers by name, at their addresses, with their values after a reset."""

    name = ""
    sleeps = True  # waits for the host by WFI
    registers: Mapping[str, tuple[int, int]] = {}  # name -> address, reset value
    ready: tuple[Ready, ...] = ()
    dead_kinds: tuple[str, ...] = ()  # what may fail to come up, alone
    dead_pairs: tuple[tuple[str, str], ...] = ()  # and together

    def __init__(self, board: BoardSpec, dead: Iterable[str] = ()) -> None:
        self.board = board
        self.dead = frozenset(dead)
        self.problems: list[str] = []
        self.by_address = {address: name for name, (address, _) in self.registers.items()}
        self.old = {name: reset for name, (_, reset) in self.registers.items()}
        self._defines = dict(board.defines)

    @classmethod
    def failures(cls, board: BoardSpec) -> list[tuple[str, ...]]:
        """What may fail to come up; first, nothing."""
        return [(), *((kind,) for kind in cls.dead_kinds), *cls.dead_pairs]

    def highest_hz(self) -> int:
        """Return the clock that a sound chip comes up with."""
        return self.board.clock_hz

    # What a family says.

    def clocks(self) -> Clocks:
        """Compute the clocks from the registers."""
        raise NotImplementedError

    def follow(self, name: str, old: int, where: str) -> None:
        """A register was written: do what the hardware does, and check the manual's rules."""

    def check_end(self, clocks: Clocks) -> None:
        """Check what must hold when the firmware runs: wait states, scales, pins."""

    def baud(self, clocks: Clocks) -> float:
        """Return the speed that the console's divider makes of its clock."""
        raise NotImplementedError

    def receive(self, byte: int) -> None:
        """A byte comes in from the host."""
        raise NotImplementedError

    def receive_irq(self) -> int:
        """Return the console's interrupt, from the manual's vector table."""
        raise NotImplementedError

    def vectors(self, code_start: int) -> int:
        """Return where the core finds stack and reset vector."""
        return code_start

    def other_memory(self, board: BoardSpec) -> tuple[MemoryRegion, ...]:
        """Return memory that the chip has and the board file does not list."""
        return ()

    def sinks(self) -> frozenset[int]:
        """Return the registers that take a byte to be sent, and do nothing else."""
        return frozenset()

    def sink(self, byte: int) -> None:
        """Take a byte to be sent."""
        self.sent(byte)

    def read_effects(self) -> list[int]:
        """Return the registers whose reading does something."""
        return []

    def read(self, address: int) -> None:
        """One of them is about to be read."""

    # What all share.

    def words(self) -> dict[int, int]:
        return {address: reset for address, reset in self.registers.values()}

    def attach(
        self,
        get: Callable[[int], int],
        put: Callable[[int, int], None],
        sent: Callable[[int], None],
        memory: Callable[[int, int], bytearray],
        put_byte: Callable[[int, int], None],
    ) -> None:
        """Take the machine's memory: registers live there."""
        self._get, self._put, self.sent, self.memory = get, put, sent, memory
        self.put_byte = put_byte
        self.reset_hz = self.clocks().core_hz

    def define(self, name: str) -> int:
        return int(self._defines[name], 0)

    def get(self, name: str, shift: int = 0, width: int = 32) -> int:
        """Value of a register, or of a field of it."""
        return self._get(self.registers[name][0]) >> shift & ((1 << width) - 1)

    def put(self, name: str, value: int) -> None:
        self._put(self.registers[name][0], value)

    def set_bits(self, name: str, mask: int, on: bool) -> None:
        value = self.get(name)
        self.put(name, value | mask if on else value & ~mask)

    def problem(self, text: str) -> None:
        if text not in self.problems:
            self.problems.append(text)

    def check_core_caches(self) -> None:
        """Check that a Cortex-M7's own caches are on (CCR.IC, CCR.DC)."""
        on = self._get(CCR) >> 16 & 3
        if on != 3:
            self.problem(f"the core's caches are off: CCR.IC and DC are {on:#b}")

    def written(self, address: int, where: Callable[[], str], size: int) -> None:
        name = self.by_address[address]
        if size != 4 and name not in self.narrow():
            self.problem(f"{name} is written {8 * size} bits wide by {where()}")
        old = self.old[name]
        # Status bits are the hardware's.
        for each in self.ready:
            if each.status == name:
                self.set_bits(name, each.ready, bool(old & each.ready))
        for each in self.ready:
            if name in (each.control, each.status):
                on = self.get(each.control) & each.on == each.on and each.name not in self.dead
                self.set_bits(each.status, each.ready, on)
        self.follow(name, old, where())
        for each_name in self.registers:
            self.old[each_name] = self.get(each_name)

    def narrow(self) -> frozenset[str]:
        """Return the registers that may be written by byte or half-word."""
        return frozenset()
