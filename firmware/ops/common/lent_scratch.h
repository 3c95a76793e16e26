// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <executorch/runtime/kernel/kernel_runtime_context.h>
#include <kernels/forms.h>
#include <kernels/scratch.h>

#include <cstdint>

namespace mcugen::ops {

/// @returns `own`, or where that has fewer than `wanted` bytes, memory of the context's temp
///     allocator, if that has more: as many, or a half, a quarter, ... of them.
inline Scratch lent_scratch(executorch::runtime::KernelRuntimeContext& ctx, const Scratch& own,
                            uint32_t wanted) {
  constexpr uint32_t kLeast = 256;  // With less to work in, no kernel is much quicker.
  // The context does not tell how much there is.
  for (uint32_t bytes = forms::kTemp ? wanted : 0; bytes > own.bytes; bytes /= 2) {
    const auto temp = ctx.allocate_temp(bytes, alignof(int64_t));
    if (temp.ok()) {
      return {static_cast<uint8_t*>(temp.get()), bytes};
    }
    if (bytes <= kLeast) {
      break;
    }
  }
  return own;
}

}  // namespace mcugen::ops
