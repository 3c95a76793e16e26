// SPDX-License-Identifier: BSD-3-Clause
#include <cstdint>

namespace mcugen {
volatile uint32_t initialised = 42;
}
