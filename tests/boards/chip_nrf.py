# SPDX-License-Identifier: BSD-3-Clause
"""nRF52840 (PS v1.7) and nRF5340's application core (PS v1.5): CLOCK, UARTE, GPIO there."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import ClassVar

from chip import Chip, Clocks
from chip_stm32 import at

from mcugen.boards.spec import BoardSpec

_STARTED = 1 << 16 | 1  # HFCLKSTAT: running, from HFXO
_RAM = range(0x2000_0000, 0x2010_0000)  # what EasyDMA can reach
_OPEN_52, _OPEN_53 = 0x5A, 0x50FA50FA  # APPROTECT


class Nrf(Chip):
    """A UARTE by EasyDMA, and a core whose clock only its source changes."""

    dead_kinds = ("HFXO",)
    clock_base = 0
    gpio_base = 0  # of port 0, where OUT is at 0x504
    irq = 0

    def __init__(self, board: BoardSpec, dead: Iterable[str] = ()) -> None:
        base = board.console.base
        self.registers = {
            **type(self).registers,
            **at(self.clock_base, "CLOCK", TASKS_HFCLKSTART=0, EVENTS_HFCLKSTARTED=0x100),
            **at(self.clock_base, "CLOCK", HFCLKSTAT=(0x40C, 1 << 16), RESETREAS=0x400),
            **at(base, "UARTE", TASKS_STARTRX=0, TASKS_STARTTX=8, EVENTS_ENDRX=0x110),
            **at(base, "UARTE", EVENTS_ENDTX=0x120, EVENTS_ERROR=0x124, SHORTS=0x200),
            **at(base, "UARTE", INTEN=0x300, INTENSET=0x304, ERRORSRC=0x480, ENABLE=0x500),
            **at(base, "UARTE", BAUDRATE=(0x524, 0x04000000), CONFIG=0x56C),
            **at(base, "UARTE", RXD_PTR=0x534, RXD_MAXCNT=0x538, RXD_AMOUNT=0x53C),
            **at(base, "UARTE", TXD_PTR=0x544, TXD_MAXCNT=0x548, TXD_AMOUNT=0x54C),
        }
        unconnected = 0xFFFFFFFF
        for i, pin in enumerate(("RTS", "TXD", "CTS", "RXD")):
            self.registers[f"UARTE_PSEL_{pin}"] = (base + 0x508 + 4 * i, unconnected)
        self.pins = {}
        for name, pin in (("TXD", board.console.tx), ("RXD", board.console.rx)):
            match = re.fullmatch(r"P(\d)\.(\d+)", pin or "")
            assert match, f"{board.id}: {pin}"
            port, number = int(match[1]), int(match[2])
            self.pins[name] = 32 * port + number
            port_base = self.gpio_base + 0x300 * port
            self.registers[f"P{port}_OUTSET"] = (port_base + 0x508, 0)
            self.registers[f"CNF_{name}"] = (port_base + 0x700 + 4 * number, 2)
        super().__init__(board, dead)
        self.receiving = False
        self.high: set[int] = set()

    def source(self) -> str:
        return "pll" if self.get("CLOCK_HFCLKSTAT") & 1 else "hfint"

    def clocks(self) -> Clocks:
        return Clocks(64_000_000, self.source(), 16_000_000)

    def follow(self, name: str, old: int, where: str) -> None:
        if name == "CLOCK_TASKS_HFCLKSTART" and self.get(name) & 1 and "HFXO" not in self.dead:
            self.put("CLOCK_HFCLKSTAT", _STARTED)
            self.put("CLOCK_EVENTS_HFCLKSTARTED", 1)
        if name == "CLOCK_RESETREAS":
            self.put(name, old & ~self.get(name))
        if name == "UARTE_TASKS_STARTTX":
            self._send(where)
        if name == "UARTE_TASKS_STARTRX":
            self.receiving = True
            self._reach("UARTE_RXD_PTR", where)
        if name.endswith("_OUTSET"):
            self.high |= {n + 32 * int(name[1]) for n in range(32) if self.get(name) >> n & 1}
        if name.startswith("UARTE_PSEL") and self.get("UARTE_ENABLE"):
            self.problem(f"{where} changes pins while the UARTE is enabled (PS 6.34.8)")
        if "_TASKS_" in name:
            self.put(name, 0)

    def _reach(self, name: str, where: str) -> None:
        if self.get(name) not in _RAM:
            self.problem(f"{where}: EasyDMA cannot reach {self.get(name):#x}")
        if self.get("UARTE_ENABLE") != 8:
            self.problem(f"{where} starts a UARTE that is not enabled")

    def _send(self, where: str) -> None:
        self._reach("UARTE_TXD_PTR", where)
        for byte in self.memory(self.get("UARTE_TXD_PTR"), self.get("UARTE_TXD_MAXCNT")):
            self.sent(byte)
        self.put("UARTE_EVENTS_ENDTX", 1)

    def receive(self, byte: int) -> None:
        enabled = self.get("UARTE_INTEN") | self.get("UARTE_INTENSET")
        if not enabled & 1 << 4:
            self.problem("ENDRX is not enabled in INTEN: the host's bytes raise no interrupt")
        if not self.receiving or self.get("UARTE_RXD_MAXCNT") != 1:
            self.problem("the receiver is not started for one byte")
            return
        self.receiving = False
        self.put_byte(self.get("UARTE_RXD_PTR"), byte)
        self.put("UARTE_EVENTS_ENDRX", 1)

    def receive_irq(self) -> int:
        return self.irq

    def baud(self, clocks: Clocks) -> float:
        # Nordic's values are not on the line of 16 MHz / 2^32, but near it.
        return self.get("UARTE_BAUDRATE") * clocks.uart_hz / 2**32

    def check_end(self, clocks: Clocks) -> None:
        for name, number in self.pins.items():
            if self.get(f"UARTE_PSEL_{name}") != number:
                self.problem(f"PSEL.{name} is {self.get(f'UARTE_PSEL_{name}'):#x}, not {number}")
        if self.get("CNF_TXD") & 3 != 3 or self.pins["TXD"] not in self.high:
            self.problem("TXD's pin is no output that idles high (PS 6.34.8)")
        if self.get("CNF_RXD") & 3:
            self.problem("RXD's pin is no input")


class Nrf52(Nrf):
    name = "nRF52840"
    registers: ClassVar = {
        "NVMC_ICACHECNF": (0x4001E540, 0),
        "UICR_APPROTECT": (0x10001208, 0xFFFFFF00 | _OPEN_52),
        "APPROTECT_DISABLE": (0x40000558, 0),
    }
    clock_base, gpio_base, irq = 0x4000_0000, 0x5000_0000, 2  # PS 4.2.4

    def check_end(self, clocks: Clocks) -> None:
        super().check_end(clocks)
        if not self.get("NVMC_ICACHECNF") & 1:
            self.problem("the instruction cache is off")
        if self.get("APPROTECT_DISABLE") != _OPEN_52:
            self.problem("UICR asks for an open debug port, which is closed (PS 4.8.1.1)")


class Nrf53(Nrf):
    name = "nRF5340"
    registers: ClassVar = {
        "CLOCK_HFCLKCTRL": (0x50005558, 1),
        "CACHE_ENABLE": (0x50001500, 0),
        "UICR_APPROTECT": (0x00FF8000, _OPEN_53),
        "UICR_SECUREAPPROTECT": (0x00FF801C, _OPEN_53),
        "CTRLAP_APPROTECT": (0x50006544, 0),
        "CTRLAP_SECUREAPPROTECT": (0x5000654C, 0),
        # One of the chip's trims, and an erased one behind it (PS 7.12); where it goes is made up.
        "FICR_TRIM_ADDRESS": (0x00FF0300, 0x50004588),
        "FICR_TRIM_VALUE": (0x00FF0304, 0x1234),
        "FICR_TRIM_NEXT": (0x00FF0308, 0xFFFFFFFF),
        "TRIMMED": (0x50004588, 0),
    }
    clock_base, irq = 0x5000_5000, 8  # PS 3.3: SERIAL0
    gpio_base = 0x5084_2000  # OUT of port 0 at 0x50842504
    dead_kinds = ("HFXO", "HCLK")
    sleeps = False  # anomalies 160 and 168

    def clocks(self) -> Clocks:
        full = self.get("CLOCK_HFCLKCTRL", 0, 2) == 0
        return Clocks(128_000_000 if full else 64_000_000, self.source(), 16_000_000)

    def follow(self, name: str, old: int, where: str) -> None:
        if name == "CLOCK_HFCLKCTRL" and "HCLK" in self.dead:
            self.put(name, old)
        super().follow(name, old, where)

    def check_end(self, clocks: Clocks) -> None:
        super().check_end(clocks)
        if not self.get("CACHE_ENABLE") & 1:
            self.problem("the cache is off")
        if self.get("TRIMMED") != 0x1234:
            self.problem("the factory's trim was not applied (PS 7.12)")
        if {self.get("CTRLAP_APPROTECT"), self.get("CTRLAP_SECUREAPPROTECT")} != {_OPEN_53}:
            self.problem("UICR asks for an open debug port, which is closed (PS 8.7)")
