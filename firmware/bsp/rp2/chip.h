// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>

/// What RP2040 and RP2350 share, and what each of them says of itself. Sections are those of the
/// RP2040 datasheet and, behind a comma, of the RP2350 datasheet.

#if !defined(MCUGEN_UART_BASE) || !defined(MCUGEN_UART_RX_IRQ) || !defined(MCUGEN_UART_TX_PIN) || \
    !defined(MCUGEN_UART_RX_PIN) || !defined(MCUGEN_XOSC_HZ)
#error "The board file must define the macros listed in bsp/rp2/README.md"
#endif

namespace mcugen::rp2 {

/// Where a family has its register blocks, and its bits in RESETS.
struct Chip {
  uintptr_t clocks;
  uintptr_t resets;
  uintptr_t xosc;
  uintptr_t pll_sys;
  uintptr_t io_bank0;
  uintptr_t pads_bank0;
  uintptr_t watchdog;
  uint32_t reset_io_bank0;
  uint32_t reset_pads_bank0;
  uint32_t reset_pll_sys;
  uint32_t reset_uart0;
  uint32_t divide_by_1;  ///< in the DIV registers of CLOCKS
  uint32_t rosc_hz;      ///< nominal
};

/// Defined by the family.
extern const Chip kChip;

/// Called before the core's clock goes up. Defined by the family.
/// @param[in] clock_hz The clock it goes up to.
void prepare_flash(uint32_t clock_hz);

// Aliases of every register of the peripheral buses, 2.1.2, 2.1.3
constexpr uintptr_t kAliasSet = 0x2000;
constexpr uintptr_t kAliasClear = 0x3000;

/// Take peripherals out of reset, or put them back first.
/// @returns whether they came out of it.
bool leave_reset(uint32_t bits);
bool reset_anew(uint32_t bits);

}  // namespace mcugen::rp2
