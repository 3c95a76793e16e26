# SPDX-License-Identifier: BSD-3-Clause
"""STM32F401 (RM0368), F411 (RM0383) and F446 (RM0390): FLASH 3, PWR 5, RCC 6 there."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from chip import Clocks, Ready
from chip_stm32 import Source, Stm32, at, steps

from mcugen.boards.spec import BoardSpec

MHZ = 1_000_000
# Part -> core, APB1, APB2 at most; core by PWR_CR.VOS; above what over-drive is needed.
_PARTS = {
    "STM32F446RE": ((180, 45, 90), {3: 180, 2: 168, 1: 120}, 168),
    "STM32F411RE": ((100, 50, 100), {3: 100, 2: 84, 1: 64}, None),
    "STM32F401RE": ((84, 42, 84), {2: 84, 1: 60}, None),
}
_OD, _OD_SWITCH = 1 << 16, 1 << 17


class Stm32F4(Stm32):
    name = "STM32F4"
    registers: ClassVar = {
        **at(0x40023C00, "FLASH", ACR=0),
        **at(0x40007000, "PWR", CR=(0, 0xC000), CSR=4),
        **at(0x40023800, "RCC", CR=(0, 0x83), PLLCFGR=(4, 0x24003010), CFGR=8),
        **at(0x40023800, "RCC", AHB1ENR=0x30, APB1ENR=0x40, APB2ENR=0x44),
        **at(0x40023800, "RCC", CSR=(0x74, 0x0E000000)),
    }
    ready = (
        Ready("HSI", "RCC_CR", 1 << 0, "RCC_CR", 1 << 1),
        Ready("HSE", "RCC_CR", 1 << 16, "RCC_CR", 1 << 17),
        Ready("PLL", "RCC_CR", 1 << 24, "RCC_CR", 1 << 25),
        Ready("VOS", "RCC_CR", 1 << 24, "PWR_CSR", 1 << 14),  # RM0390 5.4.2: with the PLL on
        Ready("OD", "PWR_CR", _OD, "PWR_CSR", _OD),
        Ready("ODSW", "PWR_CR", _OD_SWITCH, "PWR_CSR", _OD_SWITCH),
    )
    dead_kinds = ("HSE", "PLL", "VOS", "OD", "ODSW", "SWS", "LATENCY")
    dead_pairs = (("HSE", "PLL"), ("HSE", "SWS"))
    gpio_base = 0x4002_0000
    gpio_reset: ClassVar = {"A": {"MODER": 0xA8000000, "PUPDR": 0x64000000, "OSPEEDR": 0x0C000000}}
    uart_bases: ClassVar = {"USART1": 0x40011000, "USART2": 0x40004400, "USART6": 0x40011400}
    uart_irqs: ClassVar = {"USART1": 37, "USART2": 38, "USART6": 71}  # RM0390 table 38
    alternate: ClassVar = {
        ("USART2", "PA2"): 7
    }  # DS10693 table 11, and the same in F401's and F411's
    gates: ClassVar = {"PWR": ("RCC_APB1ENR", 28)}
    port_a_gate = ("RCC_AHB1ENR", 0)
    uart_gates: ClassVar = {
        "USART1": ("RCC_APB2ENR", 4),
        "USART2": ("RCC_APB1ENR", 17),
        "USART6": ("RCC_APB2ENR", 5),
    }
    isr_uart = False
    ppre_shifts = (10, 13)
    caches = 7 << 8

    def __init__(self, board: BoardSpec, dead: Iterable[str] = ()) -> None:
        super().__init__(board, dead)
        if board.mcu.upper().startswith(("STM32F401", "STM32F411")):
            self.registers["PWR_CR"] = (0x40007000, 0x8000)  # RM0368 5.4.1, RM0383 5.4.1

    @classmethod
    def failures(cls, board: BoardSpec) -> list[tuple[str, ...]]:
        found = super().failures(board)
        if board.mcu.upper().startswith(("STM32F401", "STM32F411")):  # no over-drive
            found = [dead for dead in found if not {"OD", "ODSW"} & {*dead}]
        return found

    @property
    def part(self) -> tuple[tuple[int, int, int], dict[int, int], int | None]:
        return _PARTS[self.board.mcu.upper()]

    def pll_hz(self) -> Source:
        m, n = self.get("RCC_PLLCFGR", 0, 6), self.get("RCC_PLLCFGR", 6, 9)
        p = 2 * self.get("RCC_PLLCFGR", 16, 2) + 2
        external = bool(self.get("RCC_PLLCFGR", 22, 1))
        source = self.source("HSE" if external else "HSI")
        if source is None:
            self.problem("the PLL is fed by an oscillator that is not there")
            return None
        vco_in = source[1] / m if m > 1 else 0
        if not MHZ <= vco_in <= 2 * MHZ:
            self.problem(f"{vco_in:,.0f} Hz into the PLL, M is {m} (1 to 2 MHz, RM0390 6.3.2)")
        if not 50 <= n <= 432 or not 100 * MHZ <= vco_in * n <= 432 * MHZ:
            self.problem(f"the VCO at {vco_in * n:,.0f} Hz, N is {n} (100 to 432 MHz)")
        return "pll" if external else "hsi", int(vco_in * n / p)

    def wait_states(self, hclk_hz: int) -> int:
        return steps(hclk_hz, 30 * MHZ)  # RM0390 table 5, RM0383 table 5: 2.7 to 3.6 V

    def bus_limits_hz(self) -> tuple[int, ...]:
        return tuple(limit * MHZ for limit in self.part[0][1:])

    def limits(self, core_hz: int) -> None:
        (most, *_), by_scale, overdrive_above = self.part
        scale = self.get("PWR_CR", 14, 2)
        limit = min(most, by_scale.get(scale, 0))
        over = _OD | _OD_SWITCH
        if overdrive_above and self.get("PWR_CSR") & over != over:
            limit = min(limit, overdrive_above)
        if core_hz > limit * MHZ:
            self.problem(f"{core_hz:,} Hz with VOS {scale}, which allows {limit} MHz")

    def follow(self, name: str, old: int, where: str) -> None:
        pll_on = bool(self.old["RCC_CR"] & 1 << 24)
        if name == "RCC_PLLCFGR" and pll_on and self.get(name) != old:
            self.problem(f"{where} changes PLLCFGR with the PLL on (RM0390 6.3.2)")
        if name == "PWR_CR" and pll_on and (self.get(name) ^ old) & 3 << 14:
            self.problem(f"{where} changes VOS with the PLL on (RM0390 5.1.4)")
        if name == "RCC_CR" and (self.get(name) ^ old) & 1 << 18 and old & 1 << 16:
            self.problem(f"{where} changes HSEBYP with HSEON set (RM0390 6.3.1)")
        super().follow(name, old, where)

    def check_end(self, clocks: Clocks) -> None:
        if self.get("RCC_CR") & 1 << 16 and bool(self.get("RCC_CR") & 1 << 18) != bool(
            self.define("MCUGEN_HSE_BYPASS")
        ):
            self.problem("HSEBYP is not as the board's oscillator asks for")
        super().check_end(clocks)
