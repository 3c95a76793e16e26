# SPDX-License-Identifier: BSD-3-Clause
"""The model of each family."""

from chip import Chip
from chip_nrf import Nrf52, Nrf53
from chip_rp2 import Rp2040, Rp2350
from chip_stm32f1 import Stm32F1
from chip_stm32f4 import Stm32F4
from chip_stm32f7 import Stm32F7
from chip_stm32h7 import Stm32H7
from chip_stm32lg import Stm32G0, Stm32G4, Stm32L4
from chip_stm32u5 import Stm32U5

CHIPS: dict[str, type[Chip]] = {
    "nrf52": Nrf52,
    "nrf53": Nrf53,
    "rp2040": Rp2040,
    "rp2350": Rp2350,
    "stm32f1": Stm32F1,
    "stm32f4": Stm32F4,
    "stm32f7": Stm32F7,
    "stm32g0": Stm32G0,
    "stm32g4": Stm32G4,
    "stm32h7": Stm32H7,
    "stm32l4": Stm32L4,
    "stm32u5": Stm32U5,
}
