// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <kernels/conv2d_s8_params.h>

#include <cstdint>

/// How much working memory a convolution wants: with less it is slow, or takes the scalar form. For
/// operators that are given too little; `program/scratch.py` plans as much (`Need.least`).

namespace mcugen {

/// @returns bytes; 0 where memory makes it no faster. Not inlined: the caller's stack is held while
///     the kernel runs.
[[gnu::noinline]] uint32_t conv2d_s8_scratch_mla(const Conv2dS8Params& params);
[[gnu::noinline]] uint32_t conv2d_s8_scratch_dsp(const Conv2dS8Params& params);
[[gnu::noinline]] uint32_t conv2d_s8_scratch_mve(const Conv2dS8Params& params);
inline uint32_t conv2d_s8_scratch_scalar(const Conv2dS8Params&) { return 0; }

}  // namespace mcugen
