// SPDX-License-Identifier: BSD-3-Clause
#pragma once

/// Caches and MPU of a Cortex-M7.

namespace mcugen::stm32 {

/// Forbid the core the external memories, and switch both caches on. Nothing but the core reads or
/// writes memory here (no DMA is used), so that caches need no further care.
void start_cortex_m7();

/// @returns whether they are on.
bool instruction_cache_on();
bool data_cache_on();

}  // namespace mcugen::stm32
