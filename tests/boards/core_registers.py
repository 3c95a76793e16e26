# SPDX-License-Identifier: BSD-3-Clause
"""The core's own registers that firmware may touch, with what they are after a reset.

Armv7-M Architecture Reference Manual (DDI 0403), B3.2 to B3.4 and C1; caches and their maintenance
B3.2.2. Nothing behind them is modelled but counting.
"""

SYST_CVR = 0xE000E018
NVIC_ISER = 0xE000E100
NVIC_ICER = 0xE000E180
NVIC_ICPR = 0xE000E280
VTOR = 0xE000ED08
CCR = 0xE000ED14
CYCCNT = 0xE0001004

CORE_REGISTERS: dict[int, int] = {
    0xE0001000: 0x40000000,  # DWT_CTRL: four comparators, and CYCCNT is there
    CYCCNT: 0,
    0xE0001FB0: 0,  # DWT_LAR
    0xE0001FB4: 0,  # DWT_LSR: no lock
    0xE000E010: 0x4,  # SYST_CSR: core clock
    0xE000E014: 0,  # SYST_RVR
    SYST_CVR: 0,
    0xE000E01C: 0,  # SYST_CALIB: not known
    **{first + 4 * i: 0 for first in (NVIC_ISER, NVIC_ICER, NVIC_ICPR) for i in range(8)},
    0xE000ED00: 0x410FC241,  # CPUID
    0xE000ED04: 0,  # ICSR
    VTOR: 0,
    0xE000ED0C: 0xFA050000,  # AIRCR
    0xE000ED10: 0,  # SCR
    CCR: 0x200,  # STKALIGN
    0xE000ED24: 0,  # SHCSR
    0xE000ED28: 0,  # CFSR
    0xE000ED2C: 0,  # HFSR
    0xE000ED78: 0x09000003,  # CLIDR: one level, instruction and data
    0xE000ED80: 0x003FE019,  # CCSIDR: 4 ways, 128 sets, lines of 32 bytes
    0xE000ED84: 0,  # CSSELR
    0xE000ED88: 0,  # CPACR
    0xE000ED90: 0x800,  # MPU_TYPE: 8 regions
    0xE000ED94: 0,  # MPU_CTRL
    0xE000ED98: 0,  # MPU_RNR
    0xE000ED9C: 0,  # MPU_RBAR
    0xE000EDA0: 0,  # MPU_RASR (v8-M: RLAR)
    0xE000EDC0: 0,  # MPU_MAIR0
    0xE000EDC4: 0,  # MPU_MAIR1
    0xE000EDFC: 0,  # DEMCR
    0xE000EF34: 0xC0000000,  # FPCCR
    0xE000EF50: 0,  # ICIALLU
    0xE000EF5C: 0,  # DCIMVAC
    0xE000EF60: 0,  # DCISW
    0xE000EF6C: 0,  # DCCSW
    0xE000EF70: 0,  # DCCIMVAC
    0xE000EF74: 0,  # DCCISW
}
