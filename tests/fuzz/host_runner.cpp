// SPDX-License-Identifier: BSD-3-Clause
// The runner image's application on the host, under ASan and UBSan: stdin is what the host sends,
// stdout what the device answers.

#include <app/model_store.h>
#include <poll.h>
#include <unistd.h>

#include "runner_stubs.h"

namespace {

constexpr int kIdleMs = 50;

void flush() {
  using mcugen::fuzz::output;
  for (size_t at = 0; at < output.size();) {
    const ssize_t written = write(STDOUT_FILENO, output.data() + at, output.size() - at);
    if (written <= 0) {
      exit(0);
    }
    at += static_cast<size_t>(written);
  }
  output.clear();
}

}  // namespace

int main() {
  using namespace mcugen;
  model_store_boot();
  server_start();
  for (;;) {
    flush();
    pollfd waiting{STDIN_FILENO, POLLIN, 0};
    if (poll(&waiting, 1, kIdleMs) == 0) {
      fuzz::ticks += kBoardConfig.clock_hz / 1000 * kIdleMs;
      server_idle();
      continue;
    }
    uint8_t data[4096];
    const ssize_t count = read(STDIN_FILENO, data, sizeof(data));
    if (count <= 0) {
      return 0;
    }
    for (ssize_t i = 0; i < count; ++i) {
      fuzz::feed(data[i]);
    }
  }
}
