# SPDX-License-Identifier: BSD-3-Clause
"""STM32F746 (RM0385) and F767 (RM0410): RCC and PWR are F4's, but for names and limits."""

from __future__ import annotations

from typing import ClassVar

from chip import Clocks
from chip_stm32 import at
from chip_stm32f4 import Stm32F4


class Stm32F7(Stm32F4):
    name = "STM32F7"
    registers: ClassVar = {
        **Stm32F4.registers,
        **at(0x40023800, "RCC", DCKCFGR2=0x94),
    }
    isr_uart = True
    gpio_reset: ClassVar = {"A": {"MODER": 0xA8000000, "PUPDR": 0x64000000, "OSPEEDR": 0x0C000000}}
    uart_bases: ClassVar = {"USART1": 0x40011000, "USART2": 0x40004400, "USART3": 0x40004800}
    uart_irqs: ClassVar = {"USART1": 37, "USART2": 38, "USART3": 39}  # RM0410 table 46
    uart_gates: ClassVar = {
        "USART1": ("RCC_APB2ENR", 4),
        "USART2": ("RCC_APB1ENR", 17),
        "USART3": ("RCC_APB1ENR", 18),
    }
    # DS11532 table 13, DS10916 table 12
    alternate: ClassVar = {("USART3", "PD8"): 7, ("USART1", "PA9"): 7}
    caches = 0  # the core's: the ART accelerator is on the bus that is not used

    def check_end(self, clocks: Clocks) -> None:
        super().check_end(clocks)
        self.check_core_caches()

    part = ((216, 54, 108), {3: 216, 2: 180, 1: 144}, 180)
