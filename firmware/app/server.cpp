// SPDX-License-Identifier: BSD-3-Clause
#include <app/commands.h>
#include <app/frames.h>
#include <app/log.h>
#include <app/replies.h>
#include <app/server.h>
#include <port/console.h>
#include <port/cycle_counter.h>
#include <port/panic.h>
#include <port/stack.h>

namespace mcugen {
namespace {

constexpr uint64_t kFrameTimeoutUs = 500000;  // silence that ends a frame

uint64_t g_last_frame_byte;  // uptime_us(): the cycle counter may stop while the core sleeps

}  // namespace

void server_start() {
  line("m-timestamp-mode-performance");
  lap();
  line("m-init-done");
  line("m-ready");
}

void server_feed(uint8_t byte) {
  log_to_console(true);
  if (frames_active()) {
    g_last_frame_byte = uptime_us();
    frames_feed(byte);
  } else if (byte == 0) {
    commands_reset();
    frames_start();
    g_last_frame_byte = uptime_us();
  } else {
    commands_feed(byte);
  }
  log_to_console(false);
  if (stack_overflowed()) {
    MCUGEN_PANIC("stack overflow");
  }
}

void server_idle() {
  if (frames_active() && uptime_us() - g_last_frame_byte > kFrameTimeoutUs) {
    frames_abort();
    console_take_lost();
    error("Frame timeout");
    line("m-ready");
  }
}

void server_run() {
  server_start();
  for (;;) {
    uint8_t byte;
    if (console_read(&byte)) {
      server_feed(byte);
    } else {
      server_idle();
      console_wait();
    }
  }
}

}  // namespace mcugen
