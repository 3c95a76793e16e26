# SPDX-License-Identifier: BSD-3-Clause
"""STM32F103 (RM0008): RCC 7, GPIO 9 there; FLASH is PM0075 3.1."""

from __future__ import annotations

from typing import ClassVar

from chip import Clocks, Ready
from chip_stm32 import Source, Stm32, at, steps

MHZ = 1_000_000


class Stm32F1(Stm32):
    name = "STM32F1"
    registers: ClassVar = {
        **at(0x40022000, "FLASH", ACR=(0, 0x30)),
        **at(0x40021000, "RCC", CR=(0, 0x83), CFGR=4, APB2ENR=0x18, APB1ENR=0x1C),
        **at(0x40021000, "RCC", CSR=(0x24, 0x0C000000)),
    }
    ready = (
        Ready("HSI", "RCC_CR", 1 << 0, "RCC_CR", 1 << 1),
        Ready("HSE", "RCC_CR", 1 << 16, "RCC_CR", 1 << 17),
        Ready("PLL", "RCC_CR", 1 << 24, "RCC_CR", 1 << 25),
    )
    dead_kinds = ("HSE", "PLL", "SWS", "LATENCY")
    dead_pairs = (("HSE", "PLL"), ("HSE", "SWS"))
    gpio_base = 0x4001_0800
    port_a_gate = ("RCC_APB2ENR", 2)
    uart_bases: ClassVar = {"USART1": 0x40013800, "USART2": 0x40004400, "USART3": 0x40004800}
    uart_irqs: ClassVar = {"USART1": 37, "USART2": 38, "USART3": 39}  # RM0008 table 63
    uart_gates: ClassVar = {
        "USART1": ("RCC_APB2ENR", 14),
        "USART2": ("RCC_APB1ENR", 17),
        "USART3": ("RCC_APB1ENR", 18),
    }
    uart_on_apb2 = frozenset({"USART1"})
    isr_uart = False
    hsi_hz = 8 * MHZ
    latency_width = 3
    caches = 1 << 4  # the prefetch buffer

    def port_registers(self, port: str) -> dict[str, tuple[int, int]]:
        base = self.gpio_base + 0x400 * (ord(port) - ord("A"))
        reset = 0x44444444  # floating inputs
        return at(base, f"GPIO{port}", CRL=(0, reset), CRH=(4, reset), IDR=8, ODR=12, BSRR=16)

    def check_pins(self) -> None:
        for pin, want, what in ((self.tx, {0x9, 0xA, 0xB}, "output"), (self.rx, {4, 8}, "input")):
            number = int(pin[2:])
            field = self.get(f"GPIO{pin[1]}_CR{'LH'[number // 8]}", number % 8 * 4, 4)
            if field not in want:
                self.problem(f"{pin}: CNF and MODE are {field:#x}, no {what} for a USART")
            if field == 8 and not self.get(f"GPIO{pin[1]}_ODR", number, 1):
                self.problem(f"{pin} is pulled down: that is no idle line")

    def pll_hz(self) -> Source:
        external = bool(self.get("RCC_CFGR", 16, 1))
        factor = min(self.get("RCC_CFGR", 18, 4) + 2, 16)
        if not external:
            return "hsi", self.hsi_hz // 2 * factor
        source = self.source("HSE")
        if source is None:
            self.problem("the PLL is fed by HSE, which is not there")
            return None
        feed = source[1] >> self.get("RCC_CFGR", 17, 1)
        if not MHZ <= feed <= 25 * MHZ or not 16 * MHZ <= feed * factor <= 72 * MHZ:
            self.problem(f"the PLL makes {feed * factor:,} Hz of {feed:,}")
        return "pll", feed * factor

    def wait_states(self, hclk_hz: int) -> int:
        return steps(hclk_hz, 24 * MHZ)

    def bus_limits_hz(self) -> tuple[int, ...]:
        return (36 * MHZ, 72 * MHZ)

    def limits(self, core_hz: int) -> None:
        if core_hz > 72 * MHZ:
            self.problem(f"the core at {core_hz:,} Hz, above 72 MHz")

    def follow(self, name: str, old: int, where: str) -> None:
        pll_fields = 0x3F << 16
        if (
            name == "RCC_CFGR"
            and self.old["RCC_CR"] & 1 << 24
            and (self.get(name) ^ old) & pll_fields
        ):
            self.problem(f"{where} changes the PLL while it is on (RM0008 7.3.2)")
        if name.endswith("_BSRR"):
            port = name.removesuffix("BSRR")
            value = self.get(name)
            self.put(f"{port}ODR", (self.get(f"{port}ODR") | value & 0xFFFF) & ~(value >> 16))
            self.put(name, 0)
        if name == "FLASH_ACR":  # PRFTBS follows PRFTBE
            self.set_bits(name, 1 << 5, bool(self.get(name) & 1 << 4))
        super().follow(name, old, where)

    def check_end(self, clocks: Clocks) -> None:
        super().check_end(clocks)
        if self.get("FLASH_ACR", 3, 1):
            self.problem("half cycle access is on, which is for 8 MHz at most (PM0075 3.1)")
