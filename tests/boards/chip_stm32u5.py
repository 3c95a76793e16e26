# SPDX-License-Identifier: BSD-3-Clause
"""STM32U5 (RM0456): FLASH 7, PWR 10, RCC 11, ICACHE 8 there. TrustZone is off, as delivered."""

from __future__ import annotations

from typing import ClassVar

from chip import Clocks, Ready
from chip_stm32 import Source, Stm32, at, steps

MHZ = 1_000_000
# PWR_VOSR.VOS -> core at most and one more wait state each, in MHz (RM0456 tables 55 and 101).
_RANGES = {3: (160, 32.0), 2: (110, 25.0), 1: (55, 12.5), 0: (25, 8.0)}


class Stm32U5(Stm32):
    name = "STM32U5"
    registers: ClassVar = {
        **at(0x40022000, "FLASH", ACR=(0, 1)),
        **at(0x40030400, "ICACHE", CR=(0, 4), SR=4),
        **at(0x46020800, "PWR", CR1=0, CR2=4, CR3=8, VOSR=(12, 0x8000), SVMCR=16, DBPR=0x28),
        **at(0x46020C00, "RCC", CR=(0, 0x35), CFGR=0x1C, CFGR2=0x20, CFGR3=0x24),
        **at(0x46020C00, "RCC", PLL1CFGR=0x28, PLL1DIVR=(0x34, 0x01010280), PLL1FRACR=0x38),
        **at(0x46020C00, "RCC", AHB1ENR=0x88, AHB2ENR1=0x8C, AHB3ENR=0x94, APB1ENR1=0x9C),
        **at(0x46020C00, "RCC", APB1ENR2=0xA0, APB2ENR=0xA4, APB3ENR=0xA8),
        **at(0x46020C00, "RCC", BDCR=0xF0, CSR=(0xF4, 0x0C004400)),
    }
    ready = (
        Ready("MSI", "RCC_CR", 1 << 0, "RCC_CR", 1 << 2),
        Ready("HSI", "RCC_CR", 1 << 8, "RCC_CR", 1 << 10),
        Ready("HSE", "RCC_CR", 1 << 16, "RCC_CR", 1 << 17),
        Ready("PLL", "RCC_CR", 1 << 24, "RCC_CR", 1 << 25),
        Ready("LSE", "RCC_BDCR", 1 << 0, "RCC_BDCR", 1 << 1),
        Ready("LSESYS", "RCC_BDCR", 1 << 7, "RCC_BDCR", 1 << 11),
        Ready("BOOST", "PWR_VOSR", 1 << 18, "PWR_VOSR", 1 << 14),
    )
    dead_kinds = ("HSE", "LSE", "LSESYS", "MSIPLL", "PLL", "BOOST", "VOS", "SWS", "LATENCY")
    dead_pairs = (("LSE", "PLL"), ("LSE", "HSI"))
    sources = ("MSI", "HSI", "HSE", "PLL")
    gpio_base = 0x4202_0000
    gpio_reset: ClassVar = {
        "A": {"MODER": 0xABFFFFFF, "PUPDR": 0x64000000, "OSPEEDR": 0x08000000},
        "*": {"MODER": 0xFFFFFFFF},
    }
    gates: ClassVar = {"PWR": ("RCC_AHB3ENR", 2)}
    port_a_gate = ("RCC_AHB2ENR1", 0)
    uart_bases: ClassVar = {"USART1": 0x40013800}
    uart_irqs: ClassVar = {"USART1": 61}  # RM0456 table 181
    uart_gates: ClassVar = {"USART1": ("RCC_APB2ENR", 14)}
    alternate: ClassVar = {("USART1", "PA9"): 7}  # DS13737 table 28
    caches = 1 << 8

    def ahb_hz(self, sysclk_hz: int) -> int:
        return sysclk_hz >> (0, 1, 2, 3, 4, 6, 7, 8, 9)[max(0, self.get("RCC_CFGR2", 0, 4) - 7)]

    def bus_hz(self, core_hz: int) -> list[int]:
        return [core_hz >> max(0, self.get("RCC_CFGR2", shift, 3) - 3) for shift in (4, 8)]

    def bus_limits_hz(self) -> tuple[int, ...]:
        return (160 * MHZ, 160 * MHZ)

    def source(self, name: str) -> Source:
        if name != "MSI":
            return super().source(name)
        if not self.get("RCC_CR", 2, 1):
            return None
        locked = self.get("RCC_CR", 3, 1) and self.get("RCC_CR", 6, 1)
        return "msi_lse" if locked else "msi", 4 * MHZ  # range 4, as after a reset

    def pll_hz(self) -> Source:
        feed = (None, "MSI", "HSI", "HSE")[self.get("RCC_PLL1CFGR", 0, 2)]
        source = self.source(feed) if feed else None
        if source is None:
            self.problem(f"PLL1 is fed by {feed}, which is not there")
            return None
        vco_in = source[1] / (self.get("RCC_PLL1CFGR", 8, 4) + 1)
        wide = self.get("RCC_PLL1CFGR", 2, 2) == 3
        if not (8 if wide else 4) * MHZ <= vco_in <= (16 if wide else 8) * MHZ:
            self.problem(f"{vco_in:,.0f} Hz into PLL1 with RGE {self.get('RCC_PLL1CFGR', 2, 2)}")
        vco = vco_in * (self.get("RCC_PLL1DIVR", 0, 9) + 1)
        if not 128 * MHZ <= vco <= 544 * MHZ:
            self.problem(f"PLL1's VCO at {vco:,.0f} Hz")
        if not self.get("RCC_PLL1CFGR", 18, 1):
            self.problem("output R of PLL1 is not enabled")
        boost = self.get("RCC_PLL1CFGR", 12, 4)
        if not 4 * MHZ <= source[1] / (2 * boost or 1) <= 16 * MHZ:
            self.problem(f"the booster is fed with {source[1]:,} Hz / MBOOST {boost}")
        divider = self.get("RCC_PLL1DIVR", 24, 7) + 1
        return "pll" if feed == "HSE" else source[0], int(vco / divider)

    def wait_states(self, hclk_hz: int) -> int:
        return steps(hclk_hz, int(_RANGES[self.get("PWR_VOSR", 16, 2)][1] * MHZ))

    def limits(self, core_hz: int) -> None:
        limit = _RANGES[self.get("PWR_VOSR", 16, 2)][0]
        if not self.get("PWR_VOSR", 14, 1):
            limit = min(limit, 55)  # RM0456 10.5.4: more takes the EPOD booster
        if core_hz > limit * MHZ:
            self.problem(f"{core_hz:,} Hz, where the voltage allows {limit} MHz")

    def follow(self, name: str, old: int, where: str) -> None:
        if name == "RCC_BDCR" and not self.get("PWR_DBPR", 0, 1):
            self.problem(f"{where} writes BDCR without DBP: it is protected")
        if name == "PWR_VOSR":
            self.set_bits("PWR_VOSR", 1 << 15, "VOS" not in self.dead)
        if name in ("RCC_PLL1CFGR", "RCC_PLL1DIVR") and self.old["RCC_CR"] & 1 << 24:
            self.problem(f"{where} changes {name} with PLL1 on")
        if name == "RCC_CR" and ("MSIPLL" in self.dead or not self.get("RCC_BDCR", 11, 1)):
            self.set_bits("RCC_CR", 1 << 3, False)
        super().follow(name, old, where)

    def check_end(self, clocks: Clocks) -> None:
        super().check_end(clocks)
        if not self.get("ICACHE_CR", 0, 1):
            self.problem("ICACHE is off")
