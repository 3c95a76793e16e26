// SPDX-License-Identifier: BSD-3-Clause
//
// RCC_BDCR, RM0351 (L4) and RM0456 (U5): the same bits.
#include <bsp/stm32/access.h>
#include <bsp/stm32/lse.h>

namespace mcugen::stm32 {
namespace {

constexpr uint32_t kBdcrLseOn = 1u << 0;
constexpr uint32_t kBdcrLseRdy = 1u << 1;
constexpr uint32_t kBdcrLseDrvMask = 3u << 3;
constexpr uint32_t kBdcrLseDrvMediumHigh = 2u << 3;  // enough for most crystals of a board

// Start-up time 2 s, typically (DS10198, LSE oscillator characteristics); a wait is 50 ms or more.
constexpr uint32_t kMaxWaits = 45;

bool oscillates(const Lse& lse) {
  if ((reg32(lse.bdcr) & kBdcrLseRdy) != 0) {
    return true;
  }
  change(lse.bdcr, kBdcrLseDrvMask, kBdcrLseDrvMediumHigh);  // only while it is off
  set_bits(lse.bdcr, kBdcrLseOn);
  for (uint32_t waits = 0; waits < kMaxWaits; ++waits) {
    if (wait_for(lse.bdcr, kBdcrLseRdy, kBdcrLseRdy)) {
      return true;
    }
  }
  change(lse.bdcr, kBdcrLseOn, 0);
  return false;
}

}  // namespace

bool start_lse(const Lse& lse) {
  set_bits(lse.dbp, lse.dbp_bit);
  read_back(lse.dbp);
  bool on = oscillates(lse);
  if (on && lse.sys_on != 0) {
    on = turn_on(lse.bdcr, lse.sys_on, lse.sys_ready);
  }
  change(lse.dbp, lse.dbp_bit, 0);
  return on;
}

}  // namespace mcugen::stm32
