// SPDX-License-Identifier: BSD-3-Clause
#include <bsp/mps/uart.h>
#include <port/board.h>
#include <port/cortex_m/registers.h>

namespace mcugen {

// The FPGA image's oscillator is fixed (AN385, AN386, AN500: 25 MHz; AN547: 32 MHz).
void board_init() {
#if defined(MCUGEN_TRAP_UNALIGNED)
  // Makes an Armv7-M machine that stands in for an Armv6-M one as strict as that.
  reg32(kScbCcr) = reg32(kScbCcr) | kScbCcrUnalignTrp;
#endif
  mps::uart_init(kBoardConfig.baud);
}

uint32_t board_clock_hz() { return kBoardConfig.clock_hz; }

ClockSource board_clock_source() { return ClockSource::kFixed; }

FlashSetup board_flash_setup() { return {-1, false, false, false}; }

void board_wait_for_interrupt() { __asm volatile("dsb\n wfi" ::: "memory"); }

const char* board_reset_cause() { return nullptr; }

}  // namespace mcugen
