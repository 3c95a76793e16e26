// SPDX-License-Identifier: BSD-3-Clause
#include <kernels/conv2d_s8_mve_plan.h>
#include <kernels/conv2d_scratch_s8.h>

namespace mcugen {
namespace {

uint32_t least(const MveConvPlan& plan) { return plan.possible ? plan.least_bytes() : 0; }

}  // namespace

uint32_t conv2d_s8_scratch_mve(const Conv2dS8Params& p) { return least(MveConvPlan(p)); }

}  // namespace mcugen
