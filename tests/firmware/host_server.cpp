// SPDX-License-Identifier: BSD-3-Clause
//
// The command server on the host: stdin is what the host sends, stdout what the device answers.
// Console, clock and stack are stand-ins; the model is fake_model.cpp. Where the first argument
// occurs in the input there are 600 ms of silence instead; where the second does, three bytes lost.
#include <app/log.h>
#include <app/server.h>
#include <port/board.h>
#include <port/console.h>
#include <port/cycle_counter.h>
#include <port/panic.h>
#include <port/stack.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>

namespace mcugen {

namespace {
uint64_t g_ticks;
uint32_t g_lost;
}  // namespace

uint32_t board_clock_hz() { return kBoardConfig.clock_hz; }
ClockSource board_clock_source() { return ClockSource::kPll; }
const char* board_reset_cause() { return "power"; }
FlashSetup board_flash_setup() { return {5, true, true, false}; }

void console_write(uint8_t byte) { std::putchar(byte); }
void console_write(const uint8_t* data, size_t bytes) { std::fwrite(data, 1, bytes, stdout); }
uint32_t console_take_lost() {
  const uint32_t lost = g_lost;
  g_lost = 0;
  return lost;
}
bool console_read(uint8_t*) { std::abort(); }
void console_wait() { std::abort(); }

CounterKind cycle_counter_kind() { return CounterKind::kDwt; }
uint32_t cycle_counter_hz() { return kBoardConfig.clock_hz; }
bool cycle_counter_start() { return true; }
uint64_t cycle_counter_elapsed() { return 0x0102030405060708; }
uint64_t cycle_counter_empty() { return 9; }
uint64_t cycle_counter_now() { return g_ticks; }
uint64_t uptime_us() { return g_ticks * 1000000 / kBoardConfig.clock_hz; }

void panic(const char* file, int line, const char* message) {
  std::printf("panic %s:%d %s\n", file, line, message);
  std::exit(3);
}

uint32_t stack_total_bytes() { return 4096; }
uint32_t stack_peak_bytes() { return 1000; }
bool stack_overflowed() { return false; }

}  // namespace mcugen

int main(int argc, char** argv) {
  using namespace mcugen;
  std::string input;
  for (int byte; (byte = std::getchar()) != EOF;) {
    input += static_cast<char>(byte);
  }
  const std::string silence = argc > 1 ? argv[1] : "";
  const std::string overrun = argc > 2 ? argv[2] : "";
  server_start();
  for (size_t i = 0; i < input.size();) {
    if (!silence.empty() && input.compare(i, silence.size(), silence) == 0) {
      g_ticks += kBoardConfig.clock_hz * 6 / 10;
      i += silence.size();
    } else if (!overrun.empty() && input.compare(i, overrun.size(), overrun) == 0) {
      g_lost += 3;
      i += overrun.size();
    } else {
      server_feed(static_cast<uint8_t>(input[i]));
      ++i;
      g_ticks += 10;
    }
    server_idle();
  }
  return 0;
}
