// SPDX-License-Identifier: BSD-3-Clause
#pragma once

/// The pins of every family but the F1, whose ports are otherwise: brings `console_pins()`.
#include <bsp/stm32/family.h>
