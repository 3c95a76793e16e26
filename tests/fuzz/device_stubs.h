// SPDX-License-Identifier: BSD-3-Clause
// The device around the command server, for fuzz targets: what it says is collected in `output`,
// its clock is `ticks`. To be included by one file of a program.
#pragma once

#include <app/frame.h>
#include <app/server.h>
#include <port/board.h>
#include <port/console.h>
#include <port/cycle_counter.h>
#include <port/panic.h>
#include <port/stack.h>

#include <cstdio>
#include <cstdlib>
#include <string>

namespace mcugen {

namespace fuzz {

inline std::string output;
inline uint64_t ticks;
inline uint32_t lost;

[[noreturn]] inline void fail(const char* what) {
  fprintf(stderr, "fuzz: %s\n", what);
  abort();
}

}  // namespace fuzz

uint32_t board_clock_hz() { return kBoardConfig.clock_hz; }
ClockSource board_clock_source() { return ClockSource::kPll; }
const char* board_reset_cause() { return "power"; }
FlashSetup board_flash_setup() { return {5, true, true, false}; }

void console_write(uint8_t byte) { fuzz::output += static_cast<char>(byte); }
void console_write(const uint8_t* data, size_t bytes) {
  fuzz::output.append(reinterpret_cast<const char*>(data), bytes);
}
uint32_t console_take_lost() {
  const uint32_t taken = fuzz::lost;
  fuzz::lost = 0;
  return taken;
}
bool console_read(uint8_t*) { fuzz::fail("console_read()"); }
void console_wait() { fuzz::fail("console_wait()"); }

CounterKind cycle_counter_kind() { return CounterKind::kDwt; }
uint32_t cycle_counter_hz() { return kBoardConfig.clock_hz; }
bool cycle_counter_start() { return true; }
uint64_t cycle_counter_elapsed() { return 1; }
uint64_t cycle_counter_empty() { return 0; }
uint64_t cycle_counter_now() { return fuzz::ticks; }
uint64_t uptime_us() { return fuzz::ticks * 1000000 / kBoardConfig.clock_hz; }

void panic(const char* file, int line, const char* message) {
  fprintf(stderr, "panic %s:%d ", file, line);
  fuzz::fail(message);
}

uint32_t stack_total_bytes() { return 4096; }
uint32_t stack_peak_bytes() { return 1000; }
bool stack_overflowed() { return false; }

namespace fuzz {

inline void feed(uint8_t byte) {
  server_feed(byte);
  ticks += 10;
  server_idle();
}

inline void feed(const std::string& bytes) {
  for (const char byte : bytes) {
    feed(static_cast<uint8_t>(byte));
  }
}

inline void silence() {
  ticks += kBoardConfig.clock_hz * 6 / 10;
  server_idle();
}

/// @returns the frame as it is on the wire.
inline std::string framed(uint8_t type, uint8_t seq, const std::string& body) {
  static std::string encoded;
  std::string data{static_cast<char>(type), static_cast<char>(seq)};
  data += body;
  const size_t bytes = data.size();
  data.resize(bytes + kFrameCrcBytes);
  encoded.clear();
  frame_send(reinterpret_cast<uint8_t*>(data.data()), bytes,
             [](uint8_t byte) { encoded += static_cast<char>(byte); });
  return encoded;
}

/// @returns what the device says to these bytes.
inline const std::string& answer(const std::string& bytes) {
  output.clear();
  feed(bytes);
  return output;
}

inline void expect(const std::string& bytes, const std::string& expected) {
  if (answer(bytes) != expected) {
    fprintf(stderr, "'%s' was answered with '%s'\n", bytes.c_str(), output.c_str());
    fail("the link did not recover");
  }
}

/// Silence and a lone '%' bring everything in step; text and frames are answered as ever.
inline void expect_recovery() {
  silence();
  feed("%");
  expect("%", "m-ready\r\n");
  expect("name%", std::string("m-name-dut-[") + kBoardConfig.vendor + "]\r\nm-ready\r\n");
  const std::string body("m\0g", 3);
  expect(framed(0x01, 7, body), framed(0x81, 7, '\0' + body));
}

}  // namespace fuzz
}  // namespace mcugen
