// SPDX-License-Identifier: BSD-3-Clause
#pragma once

namespace mcugen {
void uart_init();
int uart_read();
void uart_write(const char* text);
}  // namespace mcugen
