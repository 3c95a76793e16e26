// SPDX-License-Identifier: BSD-3-Clause
//
// The clock tree of a Nucleo-H743ZI2 (clock_hz = 480 MHz), in brackets of a Nucleo-H7A3ZI-Q (280):
//
//   HSE 8 MHz (ST-LINK's MCO, bypass)        MCUGEN_HSE_HZ               UM2407 6.8
//     / M = 4   -> 2 MHz   PLL1 input        range 2 to 4 MHz            RM0433 8.7.11
//     * N = 480 -> 960 MHz VCO (280: 560)    192 to 960 (128 to 560)     DS12110, DS13195: PLL1,
//     wide VCO / P = 2   -> 480 MHz SYSCLK and core (280)
//   AHB, AXI / 2 -> 240 MHz (/ 1: 280)       at most MCUGEN_AHB_MAX_HZ
//   APB / 2      -> 120 MHz (140)            at most MCUGEN_APB_MAX_HZ
//   Flash: 4 wait states of AXI's clock (6)  RM0433 table 17, RM0455 table 15
//   Regulator: VOS0                          RM0433 6.6.2, RM0455 6.8.6
//
// HSE missing: the same from HSI (64 MHz / 32). Supply, regulator or PLL not ready: HSE, else HSI,
// directly. An H743 of revision Y or before has no VOS0: it gets 400 MHz at VOS1.
#include <bsp/stm32/access.h>
#include <bsp/stm32/cortex_m7.h>
#include <bsp/stm32/family.h>
#include <bsp/stm32/pll.h>
#include <bsp/stm32h7/registers.h>

#if !defined(MCUGEN_HSE_HZ) || !defined(MCUGEN_HSE_BYPASS) || !defined(MCUGEN_AHB_MAX_HZ) || \
    !defined(MCUGEN_APB_MAX_HZ) || !defined(MCUGEN_PWR_SUPPLY) ||                            \
    !defined(MCUGEN_OVERDRIVE_ABOVE_HZ) || !defined(MCUGEN_AXI_WAIT_STEP_HZ) ||              \
    !defined(MCUGEN_AXI_WAIT_ONE_MORE_ABOVE_HZ)
#error "The board file must define the macros listed in bsp/stm32h7/README.md"
#endif

namespace mcugen::stm32 {
namespace {

using namespace stm32h7;

constexpr uint32_t kHsiHz = 64000000;   // RM0433 8.5.2
constexpr uint32_t kPllInputRange = 1;  // 2 to 4 MHz
constexpr uint32_t kPllP = 2;
// The wide VCO (DS12110, DS13195), from 2 MHz.
constexpr PllLimits kPllLimits = {63, 4, 512, 2000000, 2000000, 192000000, 960000000};
constexpr uint32_t kFirstWithVos0 = 0x2001;  // ES0392 1: revision X; Y is 0x1003
constexpr uint32_t kPpreDiv2 = 4;

// The fields say the same of both regulators' highest scale: RM0433 VOS1, RM0455 VOS0.
constexpr uint32_t kHighestVos = kPwrD3CrVosMask;

uint32_t bus_divider(uint32_t hz, uint32_t max_hz) { return hz > max_hz ? 2 : 1; }

uint32_t target_hz() {
  if (MCUGEN_OVERDRIVE_ABOVE_HZ == 0 || kBoardConfig.clock_hz <= MCUGEN_OVERDRIVE_ABOVE_HZ) {
    return kBoardConfig.clock_hz;
  }
  if (reg32(kDbgmcuIdc) >> kDbgmcuIdcRevIdPos >= kFirstWithVos0) {
    return kBoardConfig.clock_hz;
  }
  // ES0392 2.2.9: reads of AXI SRAM may be damaged in revision Y, unless they are issued one by
  // one.
  reg32(kAxiTarg7FnMod) = kAxiTarg7FnModReadIss;
  return MCUGEN_OVERDRIVE_ABOVE_HZ;
}

// RM0433 6.6.2: the supply is chosen once after power-on, before the scale can be changed.
bool raise_voltage(uint32_t core_hz) {
  change(kPwrCr3, kPwrCr3SupplyMask, MCUGEN_PWR_SUPPLY);
  if (!wait_for(kPwrCsr1, kPwrCsr1ActVosRdy, kPwrCsr1ActVosRdy)) {
    return false;
  }
  change(kPwrD3Cr, kPwrD3CrVosMask, kHighestVos);
  if (!wait_for(kPwrD3Cr, kPwrD3CrVosRdy, kPwrD3CrVosRdy)) {
    return false;
  }
  if (MCUGEN_OVERDRIVE_ABOVE_HZ == 0 || core_hz <= MCUGEN_OVERDRIVE_ABOVE_HZ) {
    return true;
  }
  set_bits(kRccApb4Enr, kRccApb4EnrSyscfg);
  read_back(kRccApb4Enr);
  set_bits(kSyscfgPwrCr, kSyscfgPwrCrOdEn);
  return wait_for(kPwrD3Cr, kPwrD3CrVosRdy, kPwrD3CrVosRdy);
}

// Lock PLL1 at `core_hz` from `input_hz`.
bool start_pll(uint32_t input_hz, uint32_t source, uint32_t core_hz) {
  const PllFactors pll = pll_factors(kPllLimits, input_hz, core_hz * kPllP);
  if (pll.m == 0) {
    return false;  // the PLL cannot make this clock
  }
  change(kRccPllCkSelR, kRccPllCkSelRPllSrcMask | kRccPllCkSelRDivM1Mask,
         source | pll.m << kRccPllCkSelRDivM1Pos);
  change(kRccPllCfgr, kRccPllCfgrPll1FracEn | kRccPllCfgrPll1VcoSel | kRccPllCfgrPll1RgeMask,
         kPllInputRange << kRccPllCfgrPll1RgePos | kRccPllCfgrDivP1En);
  // Q and R, which nothing uses, as slow as they get without being odd.
  reg32(kRccPll1DivR) = (pll.n - 1) << kRccPll1DivRDivN1Pos | (kPllP - 1) << kRccPll1DivRDivP1Pos |
                        127u << kRccPll1DivRDivQ1Pos | 127u << kRccPll1DivRDivR1Pos;
  return turn_on(kRccCr, kRccCrPll1On, kRccCrPll1Rdy);
}

bool select(uint32_t source) {
  change(kRccCfgr, kRccCfgrSwMask, source);
  return wait_for(kRccCfgr, kRccCfgrSwMask << kRccCfgrSwsPos, source << kRccCfgrSwsPos);
}

// Switch SYSCLK. Dividers are made right for the new clock first, and the flash before it goes up
// or after it went down: HSE alone is slower than HSI.
bool switch_to(uint32_t source, uint32_t core_hz) {
  const uint32_t ahb_divider = bus_divider(core_hz, MCUGEN_AHB_MAX_HZ);
  const uint32_t ahb_hz = core_hz / ahb_divider;
  const uint32_t apb_divider = bus_divider(ahb_hz, MCUGEN_APB_MAX_HZ);
  const bool up = core_hz > g_clock.core_hz;
  if (up && !set_flash_wait_states(ahb_hz)) {
    return false;  // what it reads at a higher clock is not what it holds
  }
  const uint32_t ppre = apb_divider == 2 ? kPpreDiv2 : 0;
  // APB's first: no bus is ever too fast.
  reg32(kRccD2Cfgr) = ppre << kRccD2CfgrD2Ppre1Pos | ppre << kRccD2CfgrD2Ppre2Pos;
  reg32(kRccD3Cfgr) = ppre << kRccD3CfgrD3PprePos;
  reg32(kRccD1Cfgr) =
      ppre << kRccD1CfgrD1PprePos | (ahb_divider == 2 ? kRccD1CfgrHpreDiv2 : 0);  // D1CPRE: 1
  const uint32_t divider = ahb_divider * apb_divider;
  for (uint32_t& bus_hz : g_clock.bus_hz) {
    bus_hz = g_clock.core_hz / divider;  // right even if the switch fails
  }
  if (!select(source) || (!up && !set_flash_wait_states(ahb_hz))) {
    change(kRccCfgr, kRccCfgrSwMask, kRccCfgrSwHsi);
    return false;
  }
  g_clock.core_hz = core_hz;
  for (uint32_t& bus_hz : g_clock.bus_hz) {
    bus_hz = core_hz / divider;
  }
  return true;
}

}  // namespace

const ResetBits kResetBits = {
    // RM0433 8.7.38
    kRccRsrIwdgRst | kRccRsrWwdgRst,
    kRccRsrSftRst,
    kRccRsrLpwrRst,
    kRccRsrPorRst,
    kRccRsrBorRst,
    kRccRsrPinRst,
};

// Of AXI's clock. WRHIGHFREQ stays at its slowest: nothing is programmed.
bool set_flash_wait_states(uint32_t clock_hz) {
  uint32_t wait_states = (clock_hz - 1) / MCUGEN_AXI_WAIT_STEP_HZ;
  if (MCUGEN_AXI_WAIT_ONE_MORE_ABOVE_HZ != 0 && clock_hz > MCUGEN_AXI_WAIT_ONE_MORE_ABOVE_HZ) {
    ++wait_states;
  }
  change(kFlashAcr, kFlashAcrLatencyMask, wait_states);
  return wait_for(kFlashAcr, kFlashAcrLatencyMask, wait_states);
}

FlashSetup flash_setup() {
  return {static_cast<int>(reg32(kFlashAcr) & kFlashAcrLatencyMask), false, instruction_cache_on(),
          data_cache_on()};
}

void clock_init() {
  start_cortex_m7();
  all_clocks(kHsiHz, ClockSource::kHsi);
  g_clock.reset_flags = reg32(kRccRsr);
  set_bits(kRccRsr, kRccRsrRmvf);

  // A bootloader may have left the PLL running; it must not be changed while SYSCLK uses it.
  set_bits(kRccCr, kRccCrHsiOn);
  wait_for(kRccCr, kRccCrHsiRdy, kRccCrHsiRdy);
  select(kRccCfgrSwHsi);
  change(kRccCr, kRccCrPll1On, 0);
  wait_for(kRccCr, kRccCrPll1Rdy, 0);

  set_bits(kRccCr, MCUGEN_HSE_BYPASS ? kRccCrHseByp : 0);  // to be set before HSEON
  const bool hse = turn_on(kRccCr, kRccCrHseOn, kRccCrHseRdy);
  const uint32_t core_hz = target_hz();
  const bool pll =
      raise_voltage(core_hz) && (hse ? start_pll(MCUGEN_HSE_HZ, kRccPllCkSelRPllSrcHse, core_hz)
                                     : start_pll(kHsiHz, kRccPllCkSelRPllSrcHsi, core_hz));
  if (pll && switch_to(kRccCfgrSwPll1, core_hz)) {
    g_clock.source = hse ? ClockSource::kPll : ClockSource::kHsi;
  } else if (hse && switch_to(kRccCfgrSwHse, MCUGEN_HSE_HZ)) {
    g_clock.source = ClockSource::kHse;
  }
}

}  // namespace mcugen::stm32
