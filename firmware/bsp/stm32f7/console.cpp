// SPDX-License-Identifier: BSD-3-Clause
#include <bsp/stm32/gpio.h>
#include <bsp/stm32/rcc_f4.h>
#include <bsp/stm32/usart_isr.h>
#include <bsp/stm32f7/registers.h>

namespace mcugen::stm32 {
namespace {

using namespace stm32f7;

constexpr Uart kUarts[] = {
    {kUsart1, kRccApb2Enr, kRccApb2EnrUsart1, kApb2},
    {kUsart2, kRccApb1Enr, kRccApb1EnrUsart2, kApb1},
    {kUsart3, kRccApb1Enr, kRccApb1EnrUsart3, kApb1},
};
static_assert(console_uart(kUarts).base != 0, "MCUGEN_UART_BASE must be one of these");

}  // namespace

const Console kConsole = {console_uart(kUarts), kGpioA, kRccAhb1Enr, 0};

}  // namespace mcugen::stm32
