# SPDX-License-Identifier: BSD-3-Clause
"""RP2040 and RP2350: CLOCKS, RESETS, XOSC, PLL, PL011 (their datasheets; sections of RP2040's).

Every register has aliases that set, clear and flip bits of it (2.1.2). The boot stages of ROM and
flash are not run: the image starts at its vectors.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import ClassVar

from chip import Chip, Clocks
from chip_stm32 import at

from mcugen.boards.spec import BoardSpec

MHZ = 1_000_000
_ALIASES = {"flipped": 0x1000, "set": 0x2000, "cleared": 0x3000}
_XOSC_ON = 0xFAB << 12 | 0xAA0


class Rp2(Chip):
    """What both have; bases, reset bits and dividers are the chip's."""

    dead_kinds = ("XOSC", "PLL", "CLK_REF", "CLK_SYS", "RESET_PLL")
    bases: ClassVar[dict[str, int]] = {}
    reset_bits: ClassVar[dict[str, int]] = {}
    divider_shift = 8
    rosc_hz = 0
    core_mhz = 0
    irq = 0
    pad_reset = 0x56

    def __init__(self, board: BoardSpec, dead: Iterable[str] = ()) -> None:
        one = 1 << self.divider_shift
        of = self.bases
        plain = {
            **at(of["CLOCKS"], "CLK", REF_CTRL=0x30, REF_DIV=(0x34, one), REF_SELECTED=(0x38, 1)),
            **at(of["CLOCKS"], "CLK", SYS_CTRL=0x3C, SYS_DIV=(0x40, one), SYS_SELECTED=(0x44, 1)),
            **at(of["CLOCKS"], "CLK", PERI_CTRL=0x48, PERI_DIV=(0x4C, one)),
            **at(of["RESETS"], "RESETS", RESET=(0, 0x1FFFFFF), DONE=8),
            **at(of["XOSC"], "XOSC", CTRL=0, STATUS=4, STARTUP=12),
            **at(of["PLL"], "PLL", CS=(0, 1), PWR=(4, 0x2D), FBDIV=8, PRIM=(12, 0x77000)),
            **at(of["IO"], "IO", GPIO0_CTRL=(4, 31), GPIO1_CTRL=(12, 31)),
            **at(of["PADS"], "PADS", GPIO0=(4, self.pad_reset), GPIO1=(8, self.pad_reset)),
            **at(of["WATCHDOG"], "WATCHDOG", REASON=8),
            **at(board.console.base, "UART", DR=0, FR=(0x18, 0x90), IBRD=0x24, FBRD=0x28),
            **at(board.console.base, "UART", LCR_H=0x2C, CR=(0x30, 0x300), IFLS=(0x34, 0x12)),
            **at(board.console.base, "UART", IMSC=0x38, ICR=0x44),
        }
        aliases = {
            f"{name} {how}": (address + offset, 0)
            for name, (address, _) in plain.items()
            for how, offset in _ALIASES.items()
        }
        self.registers = {**type(self).registers, **plain, **aliases}
        super().__init__(board, dead)
        self.queue: list[int] = []

    # Clocks.

    def xosc_hz(self) -> int:
        return self.define("MCUGEN_XOSC_HZ") if self.get("XOSC_STATUS", 31, 1) else 0

    def ref(self) -> tuple[str, int]:
        selected = self.get("CLK_REF_SELECTED")
        if selected == 4:
            if not self.xosc_hz():
                self.problem("clk_ref runs from XOSC, which is not there")
            return "hse", self.xosc_hz() or 1
        return "rosc", self.rosc_hz

    def pll_hz(self) -> int:
        if not self.get("PLL_CS", 31, 1) or self.get("PLL_PWR") & 0x29:
            self.problem("clk_sys runs from the PLL, which is not locked or powered down")
            return 1
        vco = self.xosc_hz() // (self.get("PLL_CS", 0, 6) or 1) * self.get("PLL_FBDIV", 0, 12)
        if not 750 * MHZ <= vco <= 1600 * MHZ:
            self.problem(f"the VCO at {vco:,} Hz (2.18.2: 750 to 1600 MHz)")
        first, second = self.get("PLL_PRIM", 16, 3), self.get("PLL_PRIM", 12, 3)
        if not 1 <= second <= first:
            self.problem(f"the PLL's dividers are {first} and {second}")
            return 1
        return vco // (first * second)

    def divider(self, name: str) -> int:
        return (self.get(name) >> self.divider_shift) or 1 << 16

    def clocks(self) -> Clocks:
        source, ref_hz = self.ref()
        ref_hz //= self.divider("CLK_REF_DIV")
        if self.get("CLK_SYS_SELECTED") == 2:
            source, hz = "pll", self.pll_hz()
        else:
            hz = ref_hz
        hz //= self.divider("CLK_SYS_DIV")
        on = self.get("CLK_PERI_CTRL", 11, 1) and self.get("CLK_PERI_CTRL", 5, 3) == 0
        return Clocks(hz, source, hz if on else 0)

    def written(self, address: int, where: Callable[[], str], size: int) -> None:
        name = self.by_address[address]
        if " " in name:
            name, how = name.split()
            value, old = self._get(address), self.get(name)
            changed = {"set": old | value, "cleared": old & ~value, "flipped": old ^ value}[how]
            self._put(address, 0)
            self.put(name, changed)
            address = self.registers[name][0]
        super().written(address, where, size)

    def follow(self, name: str, old: int, where: str) -> None:
        if name == "RESETS_RESET":
            self._reset(old)
        if name == "RESETS_DONE":
            self.put(name, old)
        if name == "XOSC_CTRL":
            on = self.get(name) & 0xFFFFFF == _XOSC_ON and "XOSC" not in self.dead
            self.set_bits("XOSC_STATUS", 1 << 31, on)
        if name in ("CLK_REF_CTRL", "CLK_SYS_CTRL"):
            self._select(name.removesuffix("_CTRL"), where)
        if name.startswith("PLL"):
            locked = not self.get("PLL_PWR") & 0x21 and self.xosc_hz() and "PLL" not in self.dead
            running = self.get("PLL_CS") & 1 << 31 and self.get("CLK_SYS_SELECTED") == 2
            if running:
                self.problem(f"{where} changes the PLL that clk_sys runs from")
            self.set_bits("PLL_CS", 1 << 31, bool(locked))
        for prefix, unit in (("PLL", "PLL"), ("IO_", "IO"), ("PADS", "PADS"), ("UART", "UART")):
            if name.startswith(prefix) and not self.get("RESETS_DONE") >> self.reset_bits[unit] & 1:
                self.problem(f"{where} writes {name}, which is in reset")
        if name == "UART_ICR":
            self.put(name, 0)
        if self.clocks().core_hz > self.core_mhz * MHZ:
            self.problem(f"{where}: the core at {self.clocks().core_hz:,} Hz")

    def _reset(self, old: int) -> None:
        now = self.get("RESETS_RESET")
        done = ~now & 0xFFFFFFFF
        if "RESET_PLL" in self.dead:
            done &= ~(1 << self.reset_bits["PLL"])
        self.put("RESETS_DONE", done)
        entered = now & ~old
        for unit, prefix in (("PLL", "PLL_"), ("UART", "UART_"), ("IO", "IO_"), ("PADS", "PADS_")):
            if entered >> self.reset_bits[unit] & 1:
                for name, (_, reset) in self.registers.items():
                    if name.startswith(prefix) and " " not in name:
                        self.put(name, reset)

    def _select(self, clock: str, where: str) -> None:
        if clock in self.dead:
            return
        source = self.get(f"{clock}_CTRL", 0, 2 if clock == "CLK_REF" else 1)
        if clock == "CLK_REF" and source == 2 and not self.xosc_hz():
            self.problem(f"{where} switches clk_ref to a crystal that does not oscillate")
        self.put(f"{clock}_SELECTED", 1 << source)

    def check_end(self, clocks: Clocks) -> None:
        for pin, output in ((0, True), (1, False)):
            if self.get(f"IO_GPIO{pin}_CTRL", 0, 5) != 2:
                self.problem(f"GP{pin} does not have function 2, UART0")
            pad = self.get(f"PADS_GPIO{pin}")
            if pad & 1 << 8 or (output and pad & 1 << 7) or not pad & 1 << 6:
                self.problem(f"pad {pin} is {pad:#x}: isolated, or its input or output is off")
        if self.get("UART_LCR_H") & 0x6E != 0x60:
            self.problem(f"LCR_H is {self.get('UART_LCR_H'):#x}: not 8N1")

    # Console.

    def sinks(self) -> frozenset[int]:
        return frozenset({self.registers["UART_DR"][0]})

    def sink(self, byte: int) -> None:
        if self.get("UART_CR") & 0x101 != 0x101:
            self.problem("a byte is sent before UARTEN and TXE are set")
        self.sent(byte)

    def baud(self, clocks: Clocks) -> float:
        divider = self.get("UART_IBRD") + self.get("UART_FBRD") / 64
        return clocks.uart_hz / (16 * divider) if divider else 0

    def receive(self, byte: int) -> None:
        if not self.get("UART_IMSC") & 1 << 6:
            self.problem("RTIM is not set: a byte alone raises no interrupt")
        self.queue.append(byte)
        self.set_bits("UART_FR", 1 << 4, False)

    def receive_irq(self) -> int:
        return self.irq

    def read_effects(self) -> list[int]:
        return [self.registers["UART_DR"][0]]

    def read(self, address: int) -> None:
        if self.queue:
            self.put("UART_DR", self.queue.pop(0))
        self.set_bits("UART_FR", 1 << 4, not self.queue)


class Rp2040(Rp2):
    name = "RP2040"
    registers: ClassVar = {
        "VREG_CHIP_RESET": (0x40064008, 1 << 8),
        "XIP_CTRL": (0x14000000, 3),
    }
    bases: ClassVar = {
        "CLOCKS": 0x40008000,
        "RESETS": 0x4000C000,
        "XOSC": 0x40024000,
        "PLL": 0x40028000,
        "IO": 0x40014000,
        "PADS": 0x4001C000,
        "WATCHDOG": 0x40058000,
    }
    reset_bits: ClassVar = {"IO": 5, "PADS": 8, "PLL": 12, "UART": 22}  # 2.14.3
    rosc_hz, core_mhz, irq = 6_500_000, 133, 20

    def vectors(self, code_start: int) -> int:
        return code_start + 0x100  # behind the second stage


class Rp2350(Rp2):
    name = "RP2350"
    registers: ClassVar = {
        "POWMAN_CHIP_RESET": (0x4010002C, 1 << 16),
        "XIP_CTRL": (0x400C8000, 0x83),
        "QMI_M0_TIMING": (0x400D000C, 0x40000004),
        "FLASH_UNCACHED": (0x14000000, 0),
    }
    bases: ClassVar = {
        "CLOCKS": 0x40010000,
        "RESETS": 0x40020000,
        "XOSC": 0x40048000,
        "PLL": 0x40050000,
        "IO": 0x40028000,
        "PADS": 0x40038000,
        "WATCHDOG": 0x400D8000,
    }
    reset_bits: ClassVar = {"IO": 6, "PADS": 9, "PLL": 14, "UART": 26}  # RP2350 7.5.3
    divider_shift = 16
    rosc_hz, core_mhz, irq = 11_000_000, 150, 33
    pad_reset = 0x116

    def follow(self, name: str, old: int, where: str) -> None:
        super().follow(name, old, where)
        divider = self.get("QMI_M0_TIMING", 0, 8) or 256
        if self.clocks().core_hz > divider * 133 * MHZ:  # W25Q32RV, AC characteristics
            self.problem(f"{where}: flash at {self.clocks().core_hz / divider:,.0f} Hz")
