// SPDX-License-Identifier: BSD-3-Clause
#include <app/app_config.h>
#include <executorch/runtime/kernel/operator_registry.h>
#include <kernels/sum.h>
#include <port/board.h>
#include <port/uart.h>

#include <initializer_list>

namespace mcugen {
extern volatile uint32_t initialised;
}

int main() {
  const mcugen::AppConfig& config = mcugen::kAppConfig;
  // Every pool is written to, so that link-time optimization drops none.
  unsigned touched = config.kernels.size() + mcugen::kBoardConfig.baud;
  for (const auto& pool : {config.method_pool, config.temp_pool, config.io_pool}) {
    if (pool.size() != 0) {
      *const_cast<volatile uint8_t*>(pool.data()) = static_cast<uint8_t>(touched);
    }
  }
  for (size_t i = 0; i < config.num_planned_buffers; ++i) {
    *const_cast<volatile uint8_t*>(config.planned_buffers[i].data()) =
        static_cast<uint8_t>(touched);
  }
  mcugen::uart_init();
  for (;;) {
    if (mcugen::uart_read() == '?') {
      mcugen::uart_write(config.firmware_id);
      mcugen::uart_write(" ");
      unsigned sum = mcugen::sum(config.pte, config.pte_bytes) + mcugen::initialised - 42;
      for (int shift = 28; shift >= 0; shift -= 4) {
        const char digit[2] = {"0123456789abcdef"[(sum >> shift) & 15], 0};
        mcugen::uart_write(digit);
      }
      mcugen::uart_write("\r\n");
    }
  }
}
