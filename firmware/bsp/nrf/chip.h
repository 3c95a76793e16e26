// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>

/// What Nordic's families share, and what each of them says of itself. References: nRF52840 PS v1.7
/// and nRF5340 PS v1.5 (product specifications), by chapter.

#if !defined(MCUGEN_UART_BASE) || !defined(MCUGEN_UART_RX_IRQ) || !defined(MCUGEN_UART_TX_PIN) || \
    !defined(MCUGEN_UART_RX_PIN)
#error "The board file must define the macros listed in bsp/nrf/README.md"
#endif

namespace mcugen::nrf {

/// Where a family has its register blocks.
struct Chip {
  uintptr_t clock;    ///< CLOCK
  uintptr_t gpio;     ///< port 0, where OUT lies at offset 0x504; port 1 follows 0x300 bytes behind
  uintptr_t reasons;  ///< RESETREAS
};

/// Defined by the family.
extern const Chip kChip;

}  // namespace mcugen::nrf
