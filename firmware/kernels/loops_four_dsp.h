// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <kernels/loops_dsp.h>

#include <cstdint>

/// The inner loops in loops_four_dsp.S: products of four pixels by two output channels. All follow
/// the AAPCS.

extern "C" {

/// As mcugen_dsp_tiles(), but `pixels` are fours of pixels: per four taps k 32 bytes: k and k+2 of
/// pixels 0, 1, 2 and 3, then k+1 and k+3 of each. There is none more: `odd` is not looked at.
/// 22 instructions per four taps and 39 per four pixels by shift, 55 by two roundings; 3 more per 8
/// fours of taps where there are more.
void mcugen_dsp_tiles_of_four(const McugenDspTiles* tiles);

/// As mcugen_dsp_widen(), for one of the two pairs of pixels of a four: 8 bytes are written, 8 left
/// to the other pair. Of several runs each goes behind the one before, so to the same pair of the
/// next four if a run is a window.
void mcugen_dsp_widen_beside(const int8_t* run0, const int8_t* run1, int16_t* out, uint32_t bytes,
                             uint32_t minus_zero_point, int32_t runs, int32_t skip);

/// The same of mcugen_dsp_widen_nine().
void mcugen_dsp_widen_nine_beside(const int8_t* window0, const int8_t* window1, int16_t* out,
                                  int32_t row_step, uint32_t minus_zero_point, int32_t pairs,
                                  int32_t pair_step);

}  // extern "C"
