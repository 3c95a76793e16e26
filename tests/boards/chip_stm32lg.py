# SPDX-License-Identifier: BSD-3-Clause
"""STM32L4 (RM0351), L4+ (RM0432), G0 (RM0444) and G4 (RM0440): FLASH, PWR and RCC there."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import ClassVar

from chip import Clocks, Ready
from chip_stm32 import Source, Stm32, at, steps

from mcugen.boards.spec import BoardSpec

MHZ = 1_000_000
_MSI_KHZ = (100, 200, 400, 800, 1000, 2000, 4000, 8000, 16000, 24000, 32000, 48000)
_ANALOG = {
    "A": {"MODER": 0xABFFFFFF, "PUPDR": 0x64000000, "OSPEEDR": 0x0C000000},
    "B": {"MODER": 0xFFFFFEBF, "PUPDR": 0x00000100},
    "*": {"MODER": 0xFFFFFFFF},
}


class Stm32LG(Stm32):
    """Voltage ranges and a PLL with M, N and R. Numbers of a family in its class."""

    ready = (
        Ready("HSI", "RCC_CR", 1 << 8, "RCC_CR", 1 << 10),
        Ready("HSE", "RCC_CR", 1 << 16, "RCC_CR", 1 << 17),
        Ready("PLL", "RCC_CR", 1 << 24, "RCC_CR", 1 << 25),
    )
    dead_kinds: tuple[str, ...] = ("HSE", "PLL", "VOS", "SWS", "LATENCY")
    dead_pairs: tuple[tuple[str, str], ...] = (("HSE", "PLL"),)
    gpio_reset: ClassVar = _ANALOG
    port_a_gate = ("RCC_AHB2ENR", 0)
    gates: ClassVar = {"PWR": ("RCC_APB1ENR1", 28)}
    uart_bases: ClassVar = {
        "USART1": 0x40013800,
        "USART2": 0x40004400,
        "USART3": 0x40004800,
        "LPUART1": 0x40008000,
    }
    uart_irqs: ClassVar = {"USART1": 37, "USART2": 38, "USART3": 39, "LPUART1": 70}
    uart_gates: ClassVar = {
        "USART1": ("RCC_APB2ENR", 14),
        "USART2": ("RCC_APB1ENR1", 17),
        "USART3": ("RCC_APB1ENR1", 18),
        "LPUART1": ("RCC_APB1ENR2", 0),
    }
    caches = 7 << 8
    core_mhz = 80
    boost_above_mhz: int | None = None
    step_mhz, boost_step_mhz = 16, 16
    m_width, n_most = 3, 86
    r_shift, r_width, r_enable = 25, 2, 24
    input_mhz = (4.0, 16.0)
    vco_mhz = (64, 344)
    feeds: Mapping[int, str] = {1: "MSI", 2: "HSI", 3: "HSE"}

    def pll_hz(self) -> Source:
        feed = self.feeds.get(self.get("RCC_PLLCFGR", 0, 2))
        source = self.source(feed) if feed else None
        if source is None:
            self.problem(f"the PLL is fed by {feed}, which is not there")
            return None
        m, n = self.get("RCC_PLLCFGR", 4, self.m_width) + 1, self.get("RCC_PLLCFGR", 8, 7)
        r = self.get("RCC_PLLCFGR", self.r_shift, self.r_width)
        r = r + 1 if self.r_width == 3 else 2 * r + 2
        vco_in = source[1] / m
        vco = vco_in * n
        low, high = (mhz * MHZ for mhz in self.vco_mhz)
        if not low <= vco <= high or not 8 <= n <= self.n_most:
            self.problem(f"the VCO at {vco:,.0f} Hz, N is {n}")
        if not self.input_mhz[0] * MHZ <= vco_in <= self.input_mhz[1] * MHZ:
            self.problem(f"{vco_in:,.0f} Hz into the PLL, M is {m}")
        if not self.get("RCC_PLLCFGR", self.r_enable, 1):
            self.problem("output R of the PLL is not enabled")
        return "pll" if feed == "HSE" else source[0], int(vco / r)

    def boosted(self) -> bool:
        return self.boost_above_mhz is not None and not self.get("PWR_CR5", 8, 1)

    def wait_states(self, hclk_hz: int) -> int:
        step = self.boost_step_mhz if self.boosted() else self.step_mhz
        return steps(hclk_hz, step * MHZ)

    def bus_limits_hz(self) -> tuple[int, ...]:
        return (self.core_mhz * MHZ,) * len(self.ppre_shifts)

    def limits(self, core_hz: int) -> None:
        limit = self.core_mhz
        if self.boost_above_mhz and not self.boosted():
            limit = self.boost_above_mhz
        if self.get("PWR_CR1", 9, 2) != 1:
            limit = 16  # range 2: 26 MHz at most, 16 in G0
        if core_hz > limit * MHZ:
            self.problem(f"{core_hz:,} Hz in a voltage range that allows {limit} MHz")

    def follow(self, name: str, old: int, where: str) -> None:
        if name == "RCC_PLLCFGR" and self.old["RCC_CR"] & 1 << 24 and self.get(name) != old:
            self.problem(f"{where} changes PLLCFGR with the PLL on")
        if name in ("PWR_CR1", "PWR_CR5") and "VOS" in self.dead:
            self.set_bits("PWR_SR2", 1 << 10, True)
        before = self.old_sysclk_hz
        super().follow(name, old, where)
        now = self.sysclk()[1]
        # RM0432 5.1.8, RM0440 6.1.5: to more than 80 MHz by way of half of it.
        if self.boost_above_mhz and now > 80 * MHZ >= before and self.ahb_hz(now) == now:
            self.problem(f"{where}: from {before:,} to {now:,} Hz in one step")
        self.old_sysclk_hz = now

    def attach(self, *functions: object) -> None:
        super().attach(*functions)  # type: ignore[arg-type]
        self.old_sysclk_hz = self.sysclk()[1]


class Stm32L4(Stm32LG):
    name = "STM32L4"
    registers: ClassVar = {
        **at(0x40022000, "FLASH", ACR=(0, 0x600)),
        **at(0x40007000, "PWR", CR1=(0, 0x200), CR2=4, SR2=0x14, CR5=(0x80, 0x100)),
        **at(0x40021000, "RCC", CR=(0, 0x63), CFGR=8, PLLCFGR=(12, 0x1000)),
        **at(0x40021000, "RCC", AHB2ENR=0x4C, APB1ENR1=0x58, APB1ENR2=0x5C, APB2ENR=0x60),
        **at(0x40021000, "RCC", BDCR=0x90, CSR=(0x94, 0x0C000600)),
    }
    ready = (
        *Stm32LG.ready,
        Ready("MSI", "RCC_CR", 1 << 0, "RCC_CR", 1 << 1),
        Ready("LSE", "RCC_BDCR", 1 << 0, "RCC_BDCR", 1 << 1),
    )
    dead_kinds = (*Stm32LG.dead_kinds, "LSE", "MSIPLL")
    dead_pairs = (*Stm32LG.dead_pairs, ("LSE", "PLL"), ("LSE", "HSI"))
    sources = ("MSI", "HSI", "HSE", "PLL")
    alternate: ClassVar = {  # DS10198 table 17, DS10969 table 17, DS12023 table 16
        ("USART2", "PA2"): 7,
        ("USART1", "PB6"): 7,
        ("LPUART1", "PG7"): 8,
    }

    def __init__(self, board: BoardSpec, dead: Iterable[str] = ()) -> None:
        super().__init__(board, dead)
        if board.mcu.upper().startswith("STM32L4R"):  # RM0432
            self.core_mhz, self.boost_above_mhz = 120, 80
            self.step_mhz = self.boost_step_mhz = 20
            self.m_width, self.n_most, self.input_mhz = 4, 127, (2.66, 16.0)
        else:
            # RM0351: no CR5, and three bits of latency.
            del self.by_address[self.registers["PWR_CR5"][0]]
            self.registers = {n: r for n, r in self.registers.items() if n != "PWR_CR5"}
            self.latency_width = 3

    def source(self, name: str) -> Source:
        if name != "MSI":
            return super().source(name)
        if not self.get("RCC_CR", 1, 1):
            return None
        # MSIRANGE counts once MSIRGSEL is set; until then, and with its reset value, 4 MHz.
        index = self.get("RCC_CR", 4, 4) if self.get("RCC_CR", 3, 1) else 6
        return "msi_lse" if self.get("RCC_CR", 2, 1) else "msi", _MSI_KHZ[index] * 1000

    def follow(self, name: str, old: int, where: str) -> None:
        if name == "RCC_BDCR" and not self.get("PWR_CR1", 8, 1):
            self.problem(f"{where} writes BDCR without DBP: it is protected")
        if name == "RCC_CR" and (
            "MSIPLL" in self.dead or not self.get("RCC_BDCR", 1, 1)
        ):  # RM0351 6.4.1: cleared by hardware while LSE is not ready
            self.set_bits("RCC_CR", 1 << 2, False)
        super().follow(name, old, where)

    def check_end(self, clocks: Clocks) -> None:
        super().check_end(clocks)
        if "G" in (self.tx[1], self.rx[1]) and not self.get("PWR_CR2", 9, 1):
            self.problem("port G has no supply: IOSV is not set (RM0351 5.4.2)")


class Stm32G4(Stm32LG):
    name = "STM32G4"
    registers: ClassVar = {
        **at(0x40022000, "FLASH", ACR=(0, 0x40600)),
        **at(0x40007000, "PWR", CR1=(0, 0x200), CR2=4, SR2=0x14, CR5=(0x80, 0x100)),
        **at(0x40021000, "RCC", CR=(0, 0x500), CFGR=(8, 5), PLLCFGR=(12, 0x1000)),
        **at(0x40021000, "RCC", AHB2ENR=0x4C, APB1ENR1=0x58, APB1ENR2=0x5C, APB2ENR=0x60),
        **at(0x40021000, "RCC", CSR=(0x94, 0x0C000000)),
    }
    dead_pairs = (*Stm32LG.dead_pairs, ("HSE", "SWS"))
    sources = ("NONE", "HSI", "HSE", "PLL")
    uart_irqs: ClassVar = {**Stm32LG.uart_irqs, "LPUART1": 91}
    alternate: ClassVar = {("USART2", "PA2"): 7, ("LPUART1", "PA2"): 12}  # DS12288 table 13
    core_mhz, boost_above_mhz = 170, 150
    step_mhz, boost_step_mhz = 30, 34  # RM0440 table 29
    m_width, n_most, input_mhz, vco_mhz = 4, 127, (2.66, 16.0), (96, 344)
    feeds: ClassVar = {2: "HSI", 3: "HSE"}


class Stm32G0(Stm32LG):
    name = "STM32G0"
    registers: ClassVar = {
        **at(0x40022000, "FLASH", ACR=(0, 0x40600)),
        **at(0x40007000, "PWR", CR1=(0, 0x208), CR2=4, SR2=0x14),
        **at(0x40021000, "RCC", CR=(0, 0x500), CFGR=8, PLLCFGR=(12, 0x1000)),
        **at(0x40021000, "RCC", IOPENR=0x34, APBENR1=0x3C, APBENR2=0x40, CSR=0x60),
    }
    sources = ("HSI", "HSE", "PLL")
    sw_width, sws_shift, hpre_shift, ppre_shifts = 3, 3, 8, (12,)
    latency_width = 3
    caches = 1 << 9
    gpio_base = 0x5000_0000
    gpio_reset: ClassVar = {
        "A": {"MODER": 0xEBFFFFFF, "PUPDR": 0x24000000, "OSPEEDR": 0x0C000000},
        "*": {"MODER": 0xFFFFFFFF},
    }
    gates: ClassVar = {"PWR": ("RCC_APBENR1", 28)}
    port_a_gate = ("RCC_IOPENR", 0)
    uart_bases: ClassVar = {"USART1": 0x40013800, "USART2": 0x40004400}
    uart_irqs: ClassVar = {"USART1": 27, "USART2": 28}  # RM0444 table 61
    uart_gates: ClassVar = {"USART1": ("RCC_APBENR2", 14), "USART2": ("RCC_APBENR1", 17)}
    alternate: ClassVar = {("USART2", "PA2"): 1}  # DS12232 table 13, DS13560 table 14
    core_mhz = 64
    step_mhz = 24  # RM0444 table 17
    r_shift, r_width, r_enable = 29, 3, 28
    input_mhz, vco_mhz = (2.66, 16.0), (96, 344)
    feeds: ClassVar = {2: "HSI", 3: "HSE"}

    def check_end(self, clocks: Clocks) -> None:
        super().check_end(clocks)
        prefetch = self.get("FLASH_ACR", 8, 1)
        # ES0548 2.2.10: prefetch may fail between the two banks of G0B1.
        if prefetch and self.board.mcu.upper().startswith("STM32G0B1"):
            self.problem("prefetch is on, which fails across banks (ES0548 2.2.10)")
