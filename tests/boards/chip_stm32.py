# SPDX-License-Identifier: BSD-3-Clause
"""What the STM32 families have in common: RCC's ready bits and switch, ports, USARTs.

Bit positions that differ stand in a family's class. Where one register is meant, the names are the
manuals': RCC_CR is CR of RCC.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from chip import Chip, Clocks

from mcugen.boards.spec import BoardSpec

Source = tuple[str, int] | None  # name as `info` has it, Hz; None: not there


def at(base: int, name: str, **offsets: tuple[int, int] | int) -> dict[str, tuple[int, int]]:
    """Registers of a peripheral: offset, or offset and value after a reset."""
    pairs = {r: o if isinstance(o, tuple) else (o, 0) for r, o in offsets.items()}
    return {f"{name}_{r}": (base + offset, reset) for r, (offset, reset) in pairs.items()}


class Stm32(Chip):
    """The common part. A family gives tables, and computes its PLL."""

    gpio_base = 0x4800_0000
    gpio_reset: Mapping[str, Mapping[str, int]] = {}  # port -> register -> value after a reset
    uart_bases: Mapping[str, int] = {}
    uart_irqs: Mapping[str, int] = {}
    # (UART, transmit pin) -> alternate function, from the data sheet.
    alternate: Mapping[tuple[str, str], int] = {}
    # What must have its clock on -> register and bit; of port A; of each UART.
    gates: Mapping[str, tuple[str, int]] = {}
    port_a_gate = ("", 0)
    uart_gates: Mapping[str, tuple[str, int]] = {}
    isr_uart = True  # ISR and RDR/TDR; else SR and DR
    sources: tuple[str, ...] = ("HSI", "HSE", "PLL")  # by the value of SW
    sw_width, sws_shift = 2, 2
    ppre_shifts: tuple[int, ...] = (8, 11)
    hpre_shift = 4
    uart_on_apb2: frozenset[str] = frozenset({"USART1", "USART6"})
    hsi_hz = 16_000_000
    latency_width = 4
    caches = 0  # bits of FLASH_ACR that must be set in the end

    def __init__(self, board: BoardSpec, dead: Iterable[str] = ()) -> None:
        uart, ports = board.console.uart, set()
        for pin in (board.console.tx, board.console.rx):
            match = re.fullmatch(r"P([A-K])(\d+)", pin or "")
            assert match, f"{board.id}: {pin}"
            ports.add(match[1])
        self.tx, self.rx = board.console.tx or "", board.console.rx or ""
        registers = dict(type(self).registers)
        for port in sorted(ports):
            registers |= self.port_registers(port)
        base = self.uart_bases[uart]
        if self.isr_uart:
            registers |= at(base, "UART", CR1=0, CR2=4, CR3=8, BRR=12, RQR=24)
            registers |= at(base, "UART", ISR=(28, 0xC0), ICR=32, RDR=36, TDR=40, PRESC=44)
        else:
            registers |= at(base, "UART", SR=(0, 0xC0), DR=4, BRR=8, CR1=12, CR2=16, CR3=20)
        self.registers = registers
        register, bit = self.port_a_gate
        self.gates = {
            **self.gates,
            "UART": self.uart_gates[uart],
            **{f"GPIO{port}": (register, bit + ord(port) - ord("A")) for port in ports},
        }
        super().__init__(board, dead)
        if board.console.base != base:
            self.problem(f"{uart} is at {base:#x}, the board file says {board.console.base:#x}")

    # What a family says beyond its tables.

    def pll_hz(self) -> Source:
        """What the PLL makes, with its rules checked."""
        raise NotImplementedError

    def wait_states(self, hclk_hz: int) -> int:
        """How many the manual asks for at the clock and the present voltage."""
        raise NotImplementedError

    def limits(self, core_hz: int) -> None:
        """Check what the voltage allows."""

    def bus_limits_hz(self) -> tuple[int, ...]:
        raise NotImplementedError

    def source(self, name: str) -> Source:
        """A clock that is there, by its name in `sources`."""
        ready = next(r for r in self.ready if r.name == name)
        if self.get(ready.status) & ready.ready != ready.ready:
            return None
        if name == "PLL":
            return self.pll_hz()
        return {"HSE": ("hse", self.hse_hz()), "HSI": ("hsi", self.hsi_hz)}[name]

    @classmethod
    def failures(cls, board: BoardSpec) -> list[tuple[str, ...]]:
        """Without those of an oscillator that the board does not have."""
        defines = dict(board.defines)
        lacks = {
            name
            for name, macro in (("HSE", "MCUGEN_HSE_HZ"), ("LSE", "MCUGEN_LSE"))
            if macro in defines and int(defines[macro], 0) == 0
        }
        return [dead for dead in super().failures(board) if not lacks & {*dead}]

    def hse_hz(self) -> int:
        return self.define("MCUGEN_HSE_HZ")

    # Clocks.

    def sysclk(self) -> tuple[str, int]:
        sws = self.get("RCC_CFGR", self.sws_shift, self.sw_width)
        found = self.source(self.sources[sws])
        if found is None:
            self.problem(f"SYSCLK runs from {self.sources[sws]}, which is not there")
            return "nothing", 1
        return found

    def clocks(self) -> Clocks:
        name, hz = self.sysclk()
        core = self.ahb_hz(hz)
        buses = self.bus_hz(core)
        second = self.board.console.uart in self.uart_on_apb2 and len(buses) > 1
        return Clocks(core, name, buses[1 if second else 0])

    def ahb_hz(self, sysclk_hz: int) -> int:
        hpre = self.get("RCC_CFGR", self.hpre_shift, 4)
        return sysclk_hz >> (0, 1, 2, 3, 4, 6, 7, 8, 9)[max(0, hpre - 7)]

    def bus_hz(self, core_hz: int) -> list[int]:
        fields = [self.get("RCC_CFGR", shift, 3) for shift in self.ppre_shifts]
        return [core_hz >> max(0, field - 3) for field in fields]

    def follow(self, name: str, old: int, where: str) -> None:
        if name == "RCC_CFGR":
            self._switch(old, where)
        if name == "FLASH_ACR" and "LATENCY" in self.dead:
            mask = (1 << self.latency_width) - 1
            self.put(name, self.get(name) & ~mask | old & mask)
        self._follow_uart(name, where)
        self._check_gate(name, where)
        if not name.startswith(("UART", "GPIO")):
            self.check_running(where)

    def _switch(self, old: int, where: str) -> None:
        mask = ((1 << self.sw_width) - 1) << self.sws_shift
        self.put("RCC_CFGR", self.get("RCC_CFGR") & ~mask | old & mask)
        wanted = self.get("RCC_CFGR", 0, self.sw_width)
        if wanted >= len(self.sources) or self.source(self.sources[wanted]) is None:
            self.problem(f"{where} switches SYSCLK to source {wanted}, which is not there")
        elif "SWS" not in self.dead:
            self.set_bits("RCC_CFGR", mask, False)
            self.set_bits("RCC_CFGR", wanted << self.sws_shift, True)

    def check_running(self, where: str) -> None:
        """The rules that hold at every moment."""
        clocks = self.clocks()
        have, need = self.latency(), self.wait_states(clocks.core_hz)
        if have < need:
            self.problem(
                f"{where}: {clocks.core_hz:,} Hz with {have} wait states, where it takes {need}"
            )
        for bus_hz, limit in zip(self.bus_hz(clocks.core_hz), self.bus_limits_hz(), strict=True):
            if bus_hz > limit:
                self.problem(f"{where}: a bus at {bus_hz:,} Hz, above {limit:,}")
        self.limits(clocks.core_hz)

    def latency(self) -> int:
        return self.get("FLASH_ACR", 0, self.latency_width)

    def check_end(self, clocks: Clocks) -> None:
        have, need = self.latency(), self.wait_states(clocks.core_hz)
        # More is slow only: it may be what a reset, or a switch that was not made, leaves behind.
        if have < need or (have > need and clocks.core_hz > self.reset_hz):
            self.problem(f"{have} wait states at {clocks.core_hz:,} Hz, where it takes {need}")
        if need and self.get("FLASH_ACR") & self.caches != self.caches:
            self.problem(f"FLASH_ACR is {self.get('FLASH_ACR'):#x}: caches or prefetch are off")
        self.check_pins()

    # Ports.

    def port_registers(self, port: str) -> dict[str, tuple[int, int]]:
        base = self.gpio_base + 0x400 * (ord(port) - ord("A"))
        resets = self.gpio_reset.get(port, self.gpio_reset.get("*", {}))
        offsets = {"MODER": 0, "OTYPER": 4, "OSPEEDR": 8, "PUPDR": 12, "AFRL": 32, "AFRH": 36}
        return at(base, f"GPIO{port}", **{r: (o, resets.get(r, 0)) for r, o in offsets.items()})

    def check_pins(self) -> None:
        want = self.alternate[self.board.console.uart, self.tx]
        for pin in (self.tx, self.rx):
            port, number = pin[1], int(pin[2:])
            mode = self.get(f"GPIO{port}_MODER", 2 * number, 2)
            function = self.get(f"GPIO{port}_AFR{'LH'[number // 8]}", number % 8 * 4, 4)
            if (mode, function) != (2, want):
                self.problem(f"{pin}: mode {mode}, function {function}, should be 2, {want}")

    def _check_gate(self, name: str, where: str) -> None:
        for prefix, (register, bit) in self.gates.items():
            if name.startswith(prefix) and not self.get(register, bit, 1):
                self.problem(f"{where} writes {name} without its clock ({register} bit {bit})")

    # Console.

    def _follow_uart(self, name: str, where: str) -> None:
        enable = 1 if self.isr_uart else 1 << 13
        if name == "UART_BRR" and self.get("UART_CR1") & enable:
            self.problem(f"{where} changes BRR while UE is set")
        if name == "UART_ICR":
            self.put(name, 0)

    def sinks(self) -> frozenset[int]:
        return frozenset({self.registers["UART_TDR" if self.isr_uart else "UART_DR"][0]})

    def sink(self, byte: int) -> None:
        on = 8 | (1 if self.isr_uart else 1 << 13)
        if self.get("UART_CR1") & on != on:
            self.problem("a byte is sent before UE and TE are set")
        self.sent(byte)

    def baud(self, clocks: Clocks) -> float:
        divider = self.get("UART_BRR")
        if not divider:
            return 0
        low_power = self.board.console.uart.startswith("LPUART")
        return clocks.uart_hz * (256 if low_power else 1) / divider

    def receive(self, byte: int) -> None:
        status, data = ("UART_ISR", "UART_RDR") if self.isr_uart else ("UART_SR", "UART_DR")
        if not self.get("UART_CR1") & 1 << 5:
            self.problem("RXNEIE is not set: the host's bytes raise no interrupt")
        self.put(data, byte)
        self.set_bits(status, 1 << 5, True)

    def receive_irq(self) -> int:
        return self.uart_irqs[self.board.console.uart]

    def read_effects(self) -> list[int]:
        return [self.registers["UART_RDR" if self.isr_uart else "UART_DR"][0]]

    def read(self, address: int) -> None:
        self.set_bits("UART_ISR" if self.isr_uart else "UART_SR", 1 << 5, False)


def steps(hz: int, step_hz: int) -> int:
    """How many whole steps lie below a clock: wait states where each step takes one more."""
    return (hz - 1) // step_hz
