// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>

/// The 32 kHz crystal of L4 and U5, which their MSI oscillator can be locked to.

namespace mcugen::stm32 {

struct Lse {
  uintptr_t dbp;  ///< PWR register with DBP, which lets RCC_BDCR be written
  uint32_t dbp_bit;
  uintptr_t bdcr;          ///< RCC_BDCR
  uint32_t sys_on = 0;     ///< LSESYSEN, for all but the RTC to have it; 0: they always have
  uint32_t sys_ready = 0;  ///< LSESYSRDY
};

/// Start the crystal, unless it still runs: only a power cycle stops it. Takes up to 2 s otherwise,
/// and as long where there is none.
/// @returns whether it oscillates.
bool start_lse(const Lse& lse);

}  // namespace mcugen::stm32
