// SPDX-License-Identifier: BSD-3-Clause
#include <port/board.h>
#include <port/cortex_m/registers.h>
#include <port/cycle_counter.h>
#include <port/divide.h>

namespace mcugen {
namespace {

// SysTick counts 24 bit. It is run with a shorter period so that its interrupt also wakes the main
// loop often enough for the protocol's time-outs: 12 ms at 180 MHz, 84 ms at 25 MHz.
constexpr uint32_t kPeriodBits = 21;
constexpr uint32_t kPeriodMask = (1u << kPeriodBits) - 1;

CounterKind g_kind;
uint64_t g_systick_base;            // ticks up to the last restart
volatile uint32_t g_systick_wraps;  // since then; 2^32 periods are 580 days at 180 MHz
uint64_t g_dwt_high;                // multiples of 2^32
uint32_t g_dwt_last;
uint64_t g_interval_start;
uint64_t g_empty;

// Ticks since the last restart. Interrupts must be off. SysTick counts down; SYST_CVR is 0 when a
// period is complete, so -CVR is the position in the current one, and the interrupt becomes
// pending on reaching 0 (DDI 0403 B3.3.1). If it is pending after CVR was read, the wrap may lie on
// either side of that read: a second read is certainly behind it.
uint64_t systick_since_restart() {
  uint32_t value = reg32(kSystCvr);
  uint32_t wraps = g_systick_wraps;
  if (value == 0) {
    value = reg32(kSystCvr);  // reached 0 this very clock: let the pending bit catch up
  }
  if ((reg32(kScbIcsr) & kScbIcsrPendStSet) != 0) {
    value = reg32(kSystCvr);
    ++wraps;
  }
  return (static_cast<uint64_t>(wraps) << kPeriodBits) + ((0u - value) & kPeriodMask);
}

// CYCCNT extended to 64 bit. Interrupts must be off. Called at least once per SysTick period, far
// more often than CYCCNT wraps (23 s at 180 MHz).
uint64_t dwt_now() {
  const uint32_t low = reg32(kDwtCyccnt);
  if (low < g_dwt_last) {
    g_dwt_high += uint64_t{1} << 32;
  }
  g_dwt_last = low;
  return g_dwt_high + low;
}

// Long enough for a running counter to be seen moving even where SysTick ticks once in 40
// instructions (QEMU).
void spend_some_time() {
  for (uint32_t i = 0; i < 200; ++i) {
    __asm volatile("nop");
  }
}

bool start_dwt() {
#if defined(__ARM_ARCH_6M__) || defined(__ARM_ARCH_8M_BASE__)
  return false;  // CYCCNT is not implemented there (DDI 0419, C1.8)
#else
  reg32(kDemcr) = reg32(kDemcr) | kDemcrTrcEna;  // first: without it the DWT ignores writes
  if ((reg32(kDwtCtrl) & kDwtCtrlNoCycCnt) != 0) {
    return false;
  }
#if defined(__ARM_ARCH_7EM__)
  // Only the M7 has the lock; elsewhere LSR reads 0.
  if ((reg32(kDwtLsr) & kDwtLsrPresentAndLocked) == kDwtLsrPresentAndLocked) {
    reg32(kDwtLar) = kDwtLarKey;
  }
#endif
  reg32(kDwtCyccnt) = 0;
  reg32(kDwtCtrl) = reg32(kDwtCtrl) | kDwtCtrlCycCntEna;
  const uint32_t before = reg32(kDwtCyccnt);
  spend_some_time();
  return reg32(kDwtCyccnt) != before;  // reads 0 for ever under QEMU
#endif
}

void start_systick() {
  reg32(kSystCsr) = 0;
  reg32(kSystRvr) = kPeriodMask;
  reg32(kSystCvr) = 0;
  reg32(kSystCsr) = kSystCsrEnable | kSystCsrTickInt | kSystCsrClkSourceCore;
}

}  // namespace

extern "C" void systick_interrupt() {
  InterruptLock lock;
  g_systick_wraps = g_systick_wraps + 1;
  if (g_kind == CounterKind::kDwt) {
    dwt_now();
  }
}

void cycle_counter_init() {
  start_systick();
  const uint64_t before = cycle_counter_now();
  spend_some_time();
  if (start_dwt()) {
    g_kind = CounterKind::kDwt;
  } else if (cycle_counter_now() != before) {
    g_kind = CounterKind::kSystick;
  } else {
    g_kind = CounterKind::kNone;
  }
  g_empty = UINT64_MAX;
  for (int i = 0; i < 8; ++i) {
    cycle_counter_start();
    const uint64_t ticks = cycle_counter_elapsed();
    g_empty = ticks < g_empty ? ticks : g_empty;
  }
}

CounterKind cycle_counter_kind() { return g_kind; }

uint32_t cycle_counter_hz() { return board_clock_hz(); }

bool cycle_counter_start() {
  InterruptLock lock;
  if (g_kind == CounterKind::kDwt) {
    g_interval_start = dwt_now();
    return true;
  }
  g_systick_base += systick_since_restart();
  reg32(kSystCvr) = 0;  // any write clears it; the next clock loads the reload value
  __asm volatile("dsb" ::: "memory");
  reg32(kScbIcsr) = kScbIcsrPendStClr;  // a wrap just before is in the base already
  g_systick_wraps = 0;
  g_interval_start = g_systick_base;
  return g_kind == CounterKind::kSystick;
}

uint64_t cycle_counter_elapsed() { return cycle_counter_now() - g_interval_start; }

uint64_t cycle_counter_empty() { return g_empty; }

uint64_t cycle_counter_now() {
  InterruptLock lock;
  if (g_kind == CounterKind::kDwt) {
    return dwt_now();
  }
  return g_systick_base + systick_since_restart();
}

uint64_t uptime_us() {
  uint64_t ticks;
  {
    InterruptLock lock;
    ticks = g_systick_base + systick_since_restart();
  }
  // In two steps, or ticks * 10^6 would overflow after 28 hours at 180 MHz.
  const uint32_t hz = board_clock_hz();
  uint64_t rest = static_cast<uint64_t>(divide_in_place(&ticks, hz)) * 1000000u;
  divide_in_place(&rest, hz);
  return ticks * 1000000u + rest;
}

}  // namespace mcugen
