// SPDX-License-Identifier: BSD-3-Clause
#pragma once

/// The USART (and LPUART) of F7, H7, L4, G0, G4 and U5, with ISR, RDR and TDR: brings `uart_init()`
/// and port/uart.h.
#include <bsp/stm32/family.h>
