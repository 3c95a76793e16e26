// SPDX-License-Identifier: BSD-3-Clause
#include <bsp/stm32/gpio.h>
#include <bsp/stm32/usart_isr.h>
#include <bsp/stm32g0/registers.h>

namespace mcugen::stm32 {
namespace {

using namespace stm32g0;

// One PCLK for all.
constexpr Uart kUarts[] = {
    {kUsart1, kRccApbEnr2, kRccApbEnr2Usart1, kApb1},
    {kUsart2, kRccApbEnr1, kRccApbEnr1Usart2, kApb1},
    {kLpuart1, kRccApbEnr1, kRccApbEnr1Lpuart1, kApb1, true},
};
static_assert(console_uart(kUarts).base != 0, "MCUGEN_UART_BASE must be one of these");

}  // namespace

const Console kConsole = {console_uart(kUarts), kGpioA, kRccIopEnr, kRccIopEnrGpioAPos};

}  // namespace mcugen::stm32
