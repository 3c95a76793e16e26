// SPDX-License-Identifier: BSD-3-Clause
//
// Code and constants are read over the AXI bus, at 0x08000000, through the core's caches. The ART
// accelerator and its prefetch serve the other bus to the flash, at 0x00200000 (RM0410 3.3.2),
// which is not used: they stay off.
#include <bsp/stm32/access.h>
#include <bsp/stm32/cortex_m7.h>
#include <bsp/stm32/rcc_f4.h>
#include <bsp/stm32f7/registers.h>

namespace mcugen::stm32 {

using namespace stm32f7;

bool set_flash_wait_states(uint32_t clock_hz) {
  const uint32_t wait_states = (clock_hz - 1) / MCUGEN_FLASH_STEP_HZ;
  change(kFlashAcr, kFlashAcrLatencyMask, wait_states);
  // RM0410 3.3.2: read back before the clock goes up.
  return wait_for(kFlashAcr, kFlashAcrLatencyMask, wait_states);
}

FlashSetup flash_setup() {
  const uint32_t acr = reg32(kFlashAcr);
  return {static_cast<int>(acr & kFlashAcrLatencyMask), (acr & kFlashAcrPrftEn) != 0,
          instruction_cache_on(), data_cache_on()};
}

void clock_init() {
  start_cortex_m7();
  start_f4_clocks();
}

}  // namespace mcugen::stm32
