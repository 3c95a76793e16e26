// SPDX-License-Identifier: BSD-3-Clause
#include <bsp/stm32/gpio.h>
#include <bsp/stm32/usart_isr.h>
#include <bsp/stm32g4/registers.h>

namespace mcugen::stm32 {
namespace {

using namespace stm32g4;

constexpr Uart kUarts[] = {
    {kUsart1, kRccApb2Enr, kRccApb2EnrUsart1, kApb2},
    {kUsart2, kRccApb1Enr1, kRccApb1Enr1Usart2, kApb1},
    {kUsart3, kRccApb1Enr1, kRccApb1Enr1Usart3, kApb1},
    {kLpuart1, kRccApb1Enr2, kRccApb1Enr2Lpuart1, kApb1, true},
};
static_assert(console_uart(kUarts).base != 0, "MCUGEN_UART_BASE must be one of these");

}  // namespace

const Console kConsole = {console_uart(kUarts), kGpioA, kRccAhb2Enr, kRccAhb2EnrGpioAPos};

}  // namespace mcugen::stm32
