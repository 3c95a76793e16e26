// SPDX-License-Identifier: BSD-3-Clause
#include <app/scalars.h>

namespace mcugen {

using executorch::runtime::Error;
using executorch::runtime::EValue;
using executorch::runtime::Method;
using executorch::runtime::MethodMeta;

bool scalar_facts(MethodMeta&, Side, size_t, IoFacts*) { return false; }

void scalars_stage(MethodMeta&, Method&, IoAddress) {}

bool scalar_set_input(MethodMeta&, Method&, size_t, IoAddress, Error*) { return false; }

bool scalar_read_output(const EValue&, size_t, size_t, IoAddress, uint8_t**) { return false; }

}  // namespace mcugen
