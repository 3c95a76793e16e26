// SPDX-License-Identifier: BSD-3-Clause
#include <bsp/mps/uart.h>
#include <port/board.h>

namespace mcugen {

// The FPGA image's oscillator is fixed (AN385, AN386, AN500: 25 MHz; AN547: 32 MHz).
void board_init() { mps::uart_init(kBoardConfig.baud); }

uint32_t board_clock_hz() { return kBoardConfig.clock_hz; }

ClockSource board_clock_source() { return ClockSource::kFixed; }

const char* board_reset_cause() { return nullptr; }

}  // namespace mcugen
