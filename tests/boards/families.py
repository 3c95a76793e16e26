# SPDX-License-Identifier: BSD-3-Clause
"""Which of the vendors' descriptions a family's registers are compared with, and their faults."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path

from svd_file import SvdField, SvdPeripheral, read_svd

from mcugen.base.resources import firmware_dir
from mcugen.project.copied import bsp_sources

FIRMWARE = firmware_dir()


@dataclass(frozen=True)
class Correction:
    """A field that a description has wrong, or not at all."""

    place: tuple[str, str, str]  # peripheral, register, field
    theirs: tuple[int, int] | None  # lsb, width; None: missing
    right: tuple[int, int]
    source: str


@dataclass(frozen=True)
class Description:
    package: str
    file: str
    corrections: tuple[Correction, ...] = ()
    # Constants of what other parts of the family have: this one is never told to use them.
    absent: frozenset[str] = frozenset()

    def peripherals(self) -> dict[str, SvdPeripheral]:
        """With the corrections made. A correction that is not needed is an error."""
        found = dict(read_svd(self.package, self.file))
        for fix in self.corrections:
            unit, register, name = fix.place
            peripheral = found[unit]
            theirs = peripheral.registers[register]
            old = theirs.fields.get(name)
            assert (old and (old.lsb, old.width)) == fix.theirs, f"{self.file}: {fix} is not needed"
            fields = theirs.fields | {name: SvdField(*fix.right)}
            registers = peripheral.registers | {register: replace(theirs, fields=fields)}
            found[unit] = replace(peripheral, registers=registers)
        return found


@dataclass(frozen=True)
class Family:
    descriptions: tuple[Description, ...] = ()
    # Groups of offsets in the headers -> the peripheral that they are looked up in.
    instances: dict[str, str] = field(default_factory=dict)


_F446_LATENCY = Correction(
    ("FLASH", "ACR", "LATENCY"), (0, 3), (0, 4), "RM0390 3.8.1: four bits, 0 to 15 wait states"
)
_INSTANCES = {"Usart": "USART2", "Gpio": "GPIOA"}
_F446_PLLR = Correction(("RCC", "PLLCFGR", "PLLR"), None, (28, 3), "RM0390 6.3.2: bits 30:28")
_L4_LATENCY = {
    unit: Correction((unit, "ACR", "LATENCY"), (0, 3), (0, 4), "RM0432 3.7.1: four bits in L4+")
    for unit in ("FLASH", "Flash")
}
_F411_LATENCY = replace(_F446_LATENCY, source="RM0383 3.8.1, RM0368 3.8.1: four bits")
_NOT_IN_SMALLER = frozenset(
    ("kPwrCrOdEn", "kPwrCrOdSwEn", "kPwrCsrOdRdy", "kPwrCsrOdSwRdy", "kRccApb1EnrUsart3")
)

FAMILIES = {
    "stm32f1": Family((Description("cmsis-svd", "STMicro/STM32F103xx.svd"),), _INSTANCES),
    "stm32f4": Family(
        (
            Description("cmsis-svd", "STMicro/STM32F446x.svd", (_F446_LATENCY, _F446_PLLR)),
            Description("cmsis-svd", "STMicro/STM32F411xx.svd", (_F411_LATENCY,), _NOT_IN_SMALLER),
            Description("cmsis-svd", "STMicro/STM32F401xE.svd", (_F411_LATENCY,), _NOT_IN_SMALLER),
        ),
        _INSTANCES,
    ),
    "stm32f7": Family(),
    "stm32g0": Family(),
    "stm32g4": Family(),
    "stm32h7": Family(),
    "stm32l4": Family(
        (
            Description("cmsis-svd", "STMicro/STM32L4x6.svd", (_L4_LATENCY["Flash"],)),
            Description("pyocd", "STM32L4x5.svd", (_L4_LATENCY["FLASH"],)),
        ),
        _INSTANCES,
    ),
    "stm32u5": Family(),
    "nrf52": Family((Description("pyocd", "nrf52840.svd"),), {"Uarte": "UARTE0", "Gpio": "P0"}),
    # There is none of nRF5340. nRF9160 has the same blocks at the same addresses.
    "nrf53": Family(
        (Description("pyocd", "nrf9160.svd"),),
        {"Uarte": "UARTE0_S", "Clock": "CLOCK_S"},
    ),
    # No package on PyPI has a description of these.
    "rp2040": Family(),
    "rp2350": Family(),
}
# What QEMU's machines have is Arm's: no vendor describes it in a file.
WITHOUT_DESCRIPTION = {"mps"}
# Files about one peripheral, whose constants leave its name out.
ONE_PERIPHERAL = {
    "bsp/stm32/gpio.cpp": "Gpio",
    "bsp/stm32/usart_isr.cpp": "Usart",
    "bsp/stm32/usart_sr.cpp": "Usart",
}


def sources(family: str) -> list[tuple[Path, str]]:
    """A family's files, with the peripheral that the names in each belong to, if to one."""
    return [(FIRMWARE / name, ONE_PERIPHERAL.get(name, "")) for name in bsp_sources(family)]
