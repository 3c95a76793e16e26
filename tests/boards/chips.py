# SPDX-License-Identifier: BSD-3-Clause
"""The model of each family."""

from chip import Chip
from chip_stm32f4 import Stm32F4

CHIPS: dict[str, type[Chip]] = {"stm32f4": Stm32F4}
