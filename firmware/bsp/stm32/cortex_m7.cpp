// SPDX-License-Identifier: BSD-3-Clause
#include <bsp/stm32/access.h>
#include <bsp/stm32/cortex_m7.h>

namespace mcugen::stm32 {
namespace {

// DDI 0403 B3.2, B4.8 (PM0253 4.3, 4.8)
constexpr uintptr_t kCcr = 0xE000ED14;
constexpr uint32_t kCcrDc = 1u << 16;
constexpr uint32_t kCcrIc = 1u << 17;
constexpr uintptr_t kCcsidr = 0xE000ED80;
constexpr uintptr_t kCsselr = 0xE000ED84;
constexpr uint32_t kCsselrData = 0;
constexpr uintptr_t kIciallu = 0xE000EF50;
constexpr uintptr_t kDcisw = 0xE000EF60;

// DDI 0403 B3.5 (PM0253 4.6)
constexpr uintptr_t kMpuCtrl = 0xE000ED94;
constexpr uint32_t kMpuCtrlEnable = 1u << 0;
constexpr uint32_t kMpuCtrlPrivDefEna = 1u << 2;
constexpr uintptr_t kMpuRbar = 0xE000ED9C;
constexpr uint32_t kMpuRbarValid = 1u << 4;  // of region 0
constexpr uintptr_t kMpuRasr = 0xE000EDA0;
constexpr uint32_t kMpuRasrEnable = 1u << 0;
constexpr uint32_t kMpuRasrSize4Gib = 31u << 1;
constexpr uint32_t kMpuRasrSrdPos = 8;
constexpr uint32_t kMpuRasrXn = 1u << 28;

void barrier() { __asm volatile("dsb\n isb" ::: "memory"); }

// AN4838 and PM0253 2.2: a Cortex-M7 may read ahead anywhere in normal memory, also where an
// external memory that nobody has set up would answer never, or with a fault. The eighths of the
// address space from 0x60000000 to 0xDFFFFFFF become strongly ordered and forbidden; the others
// stay as the architecture has them.
void forbid_external_memory() {
  constexpr uint32_t kOthers = 0x87;  // eighths 0 to 2, and 7
  barrier();
  reg32(kMpuRbar) = kMpuRbarValid;
  reg32(kMpuRasr) = kMpuRasrXn | kOthers << kMpuRasrSrdPos | kMpuRasrSize4Gib | kMpuRasrEnable;
  reg32(kMpuCtrl) = kMpuCtrlEnable | kMpuCtrlPrivDefEna;
  barrier();
}

// By set and way: what a cache holds after power-on is not known. Four ways, lines of 32 bytes
// (DDI 0489, data cache).
void invalidate_data_cache() {
  reg32(kCsselr) = kCsselrData;
  __asm volatile("dsb" ::: "memory");
  const uint32_t sets = (reg32(kCcsidr) >> 13 & 0x7FFF) + 1;
  for (uint32_t set = 0; set < sets; ++set) {
    for (uint32_t way = 0; way < 4; ++way) {
      reg32(kDcisw) = way << 30 | set << 5;
    }
  }
}

}  // namespace

void start_cortex_m7() {
  forbid_external_memory();
  if (!instruction_cache_on()) {
    reg32(kIciallu) = 0;
    barrier();
    set_bits(kCcr, kCcrIc);
    barrier();
  }
  if (!data_cache_on()) {  // else it holds what memory does not: a bootloader switched it on
    invalidate_data_cache();
    barrier();
    set_bits(kCcr, kCcrDc);
    barrier();
  }
}

bool instruction_cache_on() { return (reg32(kCcr) & kCcrIc) != 0; }

bool data_cache_on() { return (reg32(kCcr) & kCcrDc) != 0; }

}  // namespace mcugen::stm32
