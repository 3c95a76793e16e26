// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>

/// STM32F4 registers and fields, named as in RM0390 (STM32F446). Base addresses: RM0390 2.2.2.

namespace mcugen::stm32f4 {

// Flash interface, RM0390 3.8.1
constexpr uintptr_t kFlashAcr = 0x40023C00;
constexpr uint32_t kFlashAcrLatencyMask = 0xF;
constexpr uint32_t kFlashAcrPrftEn = 1u << 8;
constexpr uint32_t kFlashAcrIcEn = 1u << 9;
constexpr uint32_t kFlashAcrDcEn = 1u << 10;

// GPIO port A; its registers: bsp/stm32/gpio.cpp
constexpr uintptr_t kGpioA = 0x40020000;

// USART; their registers: bsp/stm32/usart_sr.cpp
constexpr uintptr_t kUsart1 = 0x40011000;
constexpr uintptr_t kUsart2 = 0x40004400;
constexpr uintptr_t kUsart6 = 0x40011400;

}  // namespace mcugen::stm32f4
