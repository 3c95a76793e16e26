// SPDX-License-Identifier: BSD-3-Clause
#include <executorch/runtime/platform/platform.h>
#include <executorch/runtime/platform/runtime.h>

namespace executorch::runtime {

void runtime_init() { pal_init(); }

}  // namespace executorch::runtime
