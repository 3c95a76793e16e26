// SPDX-License-Identifier: BSD-3-Clause
// The runner image's configuration on the host: an arena and all operators.
#pragma once

#include <app/app_config.h>
#include <app/runner/arena.h>
#include <executorch/runtime/kernel/operator_registry.h>
#include <ops/ops.h>

#include "device_stubs.h"
#include "op_table.h"

namespace mcugen {

namespace fuzz {

constexpr size_t kArenaBytes = 1 << 16;
constexpr size_t kHeaderBytes = 16;  // in front of the `.pte`

alignas(16) inline uint8_t arena_memory[kArenaBytes];

}  // namespace fuzz

#define OPERATOR(name, function) executorch::runtime::Kernel(name, ops::function),
inline const executorch::runtime::Kernel kKernels[] = {FUZZ_OPERATORS};
#undef OPERATOR

extern const AppConfig kAppConfig;
const AppConfig kAppConfig = {"0123456789abcdef",
                              "runner",
                              "runner",
                              "",
                              nullptr,
                              0,
                              0,
                              "",
                              kKernels,
                              nullptr,
                              0,
                              {},
                              {},
                              {},
                              1.0f,
                              0,
                              false};

extern const BoardConfig kBoardConfig;
const BoardConfig kBoardConfig = {"test", "mcugen", 1000000, 115200};

executorch::runtime::Span<uint8_t> arena() {
  return {fuzz::arena_memory, sizeof(fuzz::arena_memory)};
}

}  // namespace mcugen
