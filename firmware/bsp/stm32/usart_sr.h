// SPDX-License-Identifier: BSD-3-Clause
#pragma once

/// The USART of F1 and F4, with SR and DR: brings `uart_init()` and port/uart.h.
#include <bsp/stm32/family.h>
