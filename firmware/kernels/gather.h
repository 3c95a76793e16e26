// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>

namespace mcugen {

/// Copies `count` elements that lie `step` elements apart to contiguous memory.
/// @param[in] element_bytes 1, 2, 4 or 8; both pointers are aligned to it.
/// @param[in] input First element.
/// @param[out] output Contiguous; with step 1 it may overlap the input.
void gather_scalar(int32_t element_bytes, int32_t count, const void* input, int32_t step,
                   void* output);

/// The same, runs by Helium.
void gather_mve(int32_t element_bytes, int32_t count, const void* input, int32_t step,
                void* output);

/// Below so many elements a run is not worth a call.
constexpr int32_t kShortRun = 8;

/// Copies `count` elements that lie `step` elements apart to where they lie `out_step` apart.
void strided_copy_scalar(int32_t element_bytes, int32_t count, const void* input, int32_t step,
                         void* output, int32_t out_step);

}  // namespace mcugen
