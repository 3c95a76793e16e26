// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>

/// STM32F7 registers and fields, named as in RM0410 (STM32F767); RM0385 (STM32F746) has the same.
/// RCC and PWR: bsp/stm32/rcc_f4.h.

namespace mcugen::stm32f7 {

// Flash interface, RM0410 3.7.1
constexpr uintptr_t kFlashAcr = 0x40023C00;
constexpr uint32_t kFlashAcrLatencyMask = 0xF;
constexpr uint32_t kFlashAcrPrftEn = 1u << 8;

// GPIO port A, RM0410 2.2.2; its registers: bsp/stm32/gpio.cpp
constexpr uintptr_t kGpioA = 0x40020000;

// USART, RM0410 2.2.2; their registers: bsp/stm32/usart_isr.cpp
constexpr uintptr_t kUsart1 = 0x40011000;
constexpr uintptr_t kUsart2 = 0x40004400;
constexpr uintptr_t kUsart3 = 0x40004800;

}  // namespace mcugen::stm32f7
