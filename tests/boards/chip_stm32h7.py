# SPDX-License-Identifier: BSD-3-Clause
"""STM32H743 (RM0433) and H7A3 (RM0455): FLASH 4, PWR 6, RCC 8 there. Names are RM0433's."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from chip import Clocks, Ready
from chip_stm32 import Source, Stm32, at, steps

from mcugen.boards.spec import BoardSpec

MHZ = 1_000_000
_INPUT_MHZ = ((1, 2), (2, 4), (4, 8), (8, 16))  # PLLCFGR.PLL1RGE
_REVISIONS = {"V": 0x2003_6450, "Y": 0x1003_6450}  # DBGMCU_IDC of H743


class Stm32H7(Stm32):
    name = "STM32H7"
    registers: ClassVar = {
        **at(0x52002000, "FLASH", ACR=(0, 0x37)),
        **at(0x58024800, "PWR", CR1=(0, 0xF000C000), CSR1=(4, 0x4000), CR3=(12, 6)),
        **at(0x58024800, "PWR", D3CR=(24, 0x4000)),
        **at(0x58024400, "RCC", CR=(0, 0x25), CFGR=16, D1CFGR=24, D2CFGR=28, D3CFGR=32),
        **at(0x58024400, "RCC", PLLCKSELR=(40, 0x02020200), PLLCFGR=(44, 0x01FF0000)),
        **at(0x58024400, "RCC", PLL1DIVR=(48, 0x01010280), PLL1FRACR=52),
        **at(0x58024400, "RCC", RSR=(0x130, 0x00E80000), AHB4ENR=0x140, APB1LENR=0x148),
        **at(0x58024400, "RCC", APB2ENR=0x150, APB4ENR=(0x154, 1 << 16)),
        **at(0x58000400, "SYSCFG", PWRCR=0x2C),
        **at(0x5C001000, "DBGMCU", IDC=(0, _REVISIONS["V"])),
        **at(0x51008000, "AXI", TARG7_FN_MOD=0x108),
    }
    ready = (
        Ready("HSI", "RCC_CR", 1 << 0, "RCC_CR", 1 << 2),
        Ready("HSE", "RCC_CR", 1 << 16, "RCC_CR", 1 << 17),
        Ready("PLL", "RCC_CR", 1 << 24, "RCC_CR", 1 << 25),
    )
    dead_kinds = ("HSE", "PLL", "SUPPLY", "VOS", "SWS", "LATENCY", "REVISION_Y")
    dead_pairs = (("HSE", "PLL"), ("HSE", "VOS"))
    sources = ("HSI", "CSI", "HSE", "PLL")
    sw_width, sws_shift = 3, 3
    hsi_hz = 64 * MHZ
    gpio_base = 0x5802_0000
    gpio_reset: ClassVar = {
        "A": {"MODER": 0xABFFFFFF, "PUPDR": 0x64000000, "OSPEEDR": 0x0C000000},
        "*": {"MODER": 0xFFFFFFFF},
    }
    gates: ClassVar = {"SYSCFG": ("RCC_APB4ENR", 1)}
    port_a_gate = ("RCC_AHB4ENR", 0)
    uart_bases: ClassVar = {"USART1": 0x40011000, "USART2": 0x40004400, "USART3": 0x40004800}
    uart_irqs: ClassVar = {"USART1": 37, "USART2": 38, "USART3": 39}
    uart_gates: ClassVar = {
        "USART1": ("RCC_APB2ENR", 4),
        "USART2": ("RCC_APB1LENR", 17),
        "USART3": ("RCC_APB1LENR", 18),
    }
    alternate: ClassVar = {("USART3", "PD8"): 7}  # DS12110 table 13, DS13195 table 8

    def __init__(self, board: BoardSpec, dead: Iterable[str] = ()) -> None:
        self.h7a3 = board.mcu.upper().startswith("STM32H7A3")
        super().__init__(board, dead)
        if "REVISION_Y" in self.dead:
            self.registers["DBGMCU_IDC"] = (0x5C001000, _REVISIONS["Y"])
        self.supplied = False

    @classmethod
    def failures(cls, board: BoardSpec) -> list[tuple[str, ...]]:
        found = super().failures(board)
        if board.mcu.upper().startswith("STM32H7A3"):
            found.remove(("REVISION_Y",))
        return found

    def highest_hz(self) -> int:
        """The clock that this chip can do: an older H743 has no VOS0."""
        return 400 * MHZ if "REVISION_Y" in self.dead else self.board.clock_hz

    def ahb_hz(self, sysclk_hz: int) -> int:
        return self._divided(sysclk_hz, self.get("RCC_D1CFGR", 8, 4))

    @staticmethod
    def _divided(hz: int, field: int) -> int:
        return hz >> (0, 1, 2, 3, 4, 6, 7, 8, 9)[max(0, field - 7)]

    def axi_hz(self, core_hz: int) -> int:
        return self._divided(core_hz, self.get("RCC_D1CFGR", 0, 4))

    def bus_hz(self, core_hz: int) -> list[int]:
        axi = self.axi_hz(core_hz)
        fields = (("RCC_D2CFGR", 4), ("RCC_D2CFGR", 8), ("RCC_D1CFGR", 4), ("RCC_D3CFGR", 4))
        return [axi >> max(0, self.get(name, shift, 3) - 3) for name, shift in fields]

    def bus_limits_hz(self) -> tuple[int, ...]:
        return ((140 if self.h7a3 else 120) * MHZ,) * 4

    def pll_hz(self) -> Source:
        feed = ("HSI", "CSI", "HSE", None)[self.get("RCC_PLLCKSELR", 0, 2)]
        source = self.source(feed) if feed in ("HSI", "HSE") else None
        divider = self.get("RCC_PLLCKSELR", 4, 6)
        if source is None or not divider:
            self.problem(f"PLL1 is fed by {feed} / {divider}")
            return None
        vco_in = source[1] / divider
        low, high = _INPUT_MHZ[self.get("RCC_PLLCFGR", 2, 2)]
        if not low * MHZ <= vco_in <= high * MHZ:
            self.problem(f"{vco_in:,.0f} Hz into PLL1, whose range is {low} to {high} MHz")
        vco = vco_in * (self.get("RCC_PLL1DIVR", 0, 9) + 1)
        if self.get("RCC_PLLCFGR", 1, 1):
            low, high = 150, 420
        elif self.h7a3:
            low, high = 128, 560
        else:
            low, high = 192, 836 if "REVISION_Y" in self.dead else 960
        if not low * MHZ <= vco <= high * MHZ:
            self.problem(f"PLL1's VCO at {vco:,.0f} Hz, outside of {low} to {high} MHz")
        p = self.get("RCC_PLL1DIVR", 9, 7) + 1
        if p % 2 or not self.get("RCC_PLLCFGR", 16, 1):
            self.problem(f"DIVP1 is {p}, enabled: {self.get('RCC_PLLCFGR', 16, 1)}")
        return "pll" if feed == "HSE" else "hsi", int(vco / p)

    def scale(self) -> tuple[int, int]:
        """Core at most and MHz of AXI's clock that each wait state stands for."""
        vos = self.get("PWR_D3CR", 14, 2)
        if self.h7a3:
            return ((88, 22), (160, 34), (225, 38), (280, 42))[vos]
        if vos == 3 and self.get("SYSCFG_PWRCR", 0, 1):
            return (480, 70)
        return ((0, 1), (200, 45), (300, 55), (400, 70))[vos]

    def wait_states(self, hclk_hz: int) -> int:
        axi, (_, step) = self.axi_hz(hclk_hz), self.scale()
        # RM0433 table 17: VOS0 and VOS1 go 70, 140, 210 (WRHIGHFREQ 2), 225, 240 MHz.
        return steps(axi, step * MHZ) + (not self.h7a3 and step == 70 and axi > 225 * MHZ)

    def limits(self, core_hz: int) -> None:
        limit, _ = self.scale()
        if core_hz > limit * MHZ:
            self.problem(f"{core_hz:,} Hz, where the voltage allows {limit} MHz")
        axi = self.axi_hz(core_hz)
        if axi > (280 if self.h7a3 else 240) * MHZ:
            self.problem(f"AXI at {axi:,} Hz")

    def follow(self, name: str, old: int, where: str) -> None:
        pll_on = bool(self.old["RCC_CR"] & 1 << 24)
        if name in ("RCC_PLLCKSELR", "RCC_PLLCFGR", "RCC_PLL1DIVR") and pll_on:
            self.problem(f"{where} changes {name} with PLL1 on (RM0433 8.5.5)")
        if name == "PWR_CR3":
            self.supplied = True
            want = self.define("MCUGEN_PWR_SUPPLY")
            if self.get(name, 0, 3) != want:
                self.problem(f"{where}: the supply is {self.get(name, 0, 3)}, not {want}")
            self.set_bits("PWR_CSR1", 1 << 13, "SUPPLY" not in self.dead)
        if name == "PWR_D3CR":
            if not self.supplied:
                self.problem(f"{where} changes VOS before the supply is chosen (RM0433 6.6.2)")
            self.set_bits(name, 1 << 13, "VOS" not in self.dead)
        if name == "SYSCFG_PWRCR" and "REVISION_Y" in self.dead:
            self.problem(f"{where} asks for VOS0, which revision Y does not have")
        super().follow(name, old, where)

    def check_end(self, clocks: Clocks) -> None:
        super().check_end(clocks)
        self.check_core_caches()
        if "REVISION_Y" in self.dead and not self.get("AXI_TARG7_FN_MOD", 0, 1):
            self.problem("ES0392 2.2.9: READ_ISS_OVERRIDE is not set on revision Y")
