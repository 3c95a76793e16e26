// SPDX-License-Identifier: BSD-3-Clause
#include <bsp/stm32/access.h>
#include <bsp/stm32/rcc_f4.h>
#include <bsp/stm32f4/registers.h>

namespace mcugen::stm32 {

using namespace stm32f4;

bool set_flash_wait_states(uint32_t clock_hz) {
  const uint32_t wait_states = (clock_hz - 1) / MCUGEN_FLASH_STEP_HZ;
  change(kFlashAcr, kFlashAcrLatencyMask,
         wait_states | kFlashAcrPrftEn | kFlashAcrIcEn | kFlashAcrDcEn);
  // RM0390 3.4.1: read back before the clock goes up.
  return wait_for(kFlashAcr, kFlashAcrLatencyMask, wait_states);
}

FlashSetup flash_setup() {
  const uint32_t acr = reg32(kFlashAcr);
  return {static_cast<int>(acr & kFlashAcrLatencyMask), (acr & kFlashAcrPrftEn) != 0,
          (acr & kFlashAcrIcEn) != 0, (acr & kFlashAcrDcEn) != 0};
}

void clock_init() { start_f4_clocks(); }

}  // namespace mcugen::stm32
