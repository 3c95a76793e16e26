// SPDX-License-Identifier: BSD-3-Clause
#pragma once
#include <cstddef>
#include <cstdint>

namespace mcugen {
uint32_t sum(const uint8_t* data, size_t size);
}
