// SPDX-License-Identifier: BSD-3-Clause
#include <bsp/stm32/access.h>
#include <bsp/stm32/sysclk.h>

namespace mcugen::stm32 {
namespace {

constexpr uint32_t kHpreMask = 0xF;
constexpr uint32_t kHpreHalf = 8;
constexpr uint32_t kPpreMask = 7;  // 0: 1, 4: /2, 5: /4, 6: /8, 7: /16

// log2 of the smallest divider that brings `hz` to at most `max_hz`.
uint32_t divider_log2(uint32_t hz, uint32_t max_hz) {
  uint32_t log2 = 0;
  while ((hz >> log2) > max_hz && log2 < 4) {
    ++log2;
  }
  return log2;
}

// The regulator follows a step of the load in 1 us (RM0432, RM0440): some 200 clocks of HCLK.
constexpr uint32_t kReadsPerMicrosecond = 32;

void let_regulator_follow(uintptr_t any_register) {
  for (uint32_t reads = 0; reads < kReadsPerMicrosecond; ++reads) {
    read_back(any_register);
  }
}

uint32_t ppre_field(uint32_t log2) { return log2 == 0 ? 0 : 3 + log2; }

bool select(const Sysclk& sysclk, uint32_t source) {
  const uint32_t mask = (1u << sysclk.sw_bits) - 1;
  change(sysclk.cfgr, mask, source);
  return wait_for(sysclk.cfgr, mask << sysclk.sws_at, source << sysclk.sws_at);
}

}  // namespace

bool switch_sysclk(const Sysclk& sysclk, uint32_t source, uint32_t clock_hz) {
  if (!set_flash_wait_states(clock_hz)) {
    return false;  // what it reads at a higher clock is not what it holds
  }
  uint32_t log2[2];
  uint32_t mask = kHpreMask << sysclk.hpre_at;
  uint32_t fields = 0;
  for (uint32_t i = 0; i < 2; ++i) {
    log2[i] = divider_log2(clock_hz, sysclk.buses[i].max_hz);
    mask |= kPpreMask << sysclk.buses[i].ppre_at;
    fields |= ppre_field(log2[i]) << sysclk.buses[i].ppre_at;
  }
  const bool halve = sysclk.halve_above_hz != 0 && clock_hz > sysclk.halve_above_hz;
  if (halve) {
    fields |= kHpreHalf << sysclk.hpre_at;
  }
  change(sysclk.cfgr, mask, fields);
  for (uint32_t i = 0; i < 2; ++i) {
    g_clock.bus_hz[i] = g_clock.core_hz >> log2[i];  // right even if the switch fails
  }
  const bool switched = select(sysclk, source);
  if (!switched) {
    change(sysclk.cfgr, (1u << sysclk.sw_bits) - 1, sysclk.reset_source);
  }
  if (halve) {
    let_regulator_follow(sysclk.cfgr);
    change(sysclk.cfgr, kHpreMask << sysclk.hpre_at, 0);
  }
  if (!switched) {
    return false;
  }
  g_clock.core_hz = clock_hz;
  for (uint32_t i = 0; i < 2; ++i) {
    g_clock.bus_hz[i] = clock_hz >> log2[i];
  }
  return true;
}

void reset_sysclk(const Sysclk& sysclk) { select(sysclk, sysclk.reset_source); }

bool simulated_clock(uintptr_t rcc_cr) {
  if (reg32(rcc_cr) != 0) {
    return false;
  }
  const uint32_t tenms = reg32(kSystCalib) & kSystCalibTenms;
  if (tenms != 0) {
    all_clocks((tenms + 1) * 100 * 8, ClockSource::kFixed);
  }
  return true;
}

}  // namespace mcugen::stm32
