// SPDX-License-Identifier: BSD-3-Clause
#pragma once

/// Which forms of the kernels an image has. As it lies here: all. A generated project has its own
/// copy of this file, with `false` for the forms that its program cannot take, or that it does
/// without at `--optimize size` (generator/mcugen/program/forms.py). What is asked for and left out
/// becomes a more general form with the same results; where there is none, the image stops with a
/// panic that names it.

namespace mcugen {

[[noreturn]] void panic(const char* file, int line, const char* message);  // <port/panic.h>

namespace forms {

// Without the DSP extension or with it: what is taken where no other form is.
inline constexpr bool kConvScalar = true;
inline constexpr bool kDepthwiseScalar = true;
inline constexpr bool kLinearScalar = true;
inline constexpr bool kPackedLinearScalar = true;
inline constexpr bool kAvgPoolScalar = true;

// With the DSP extension.
inline constexpr bool kWinograd = true;
inline constexpr bool kTiles = true;       ///< mcugen_dsp_tiles()
inline constexpr bool kTilesExact = true;  ///< mcugen_dsp_tiles_exact(), for what kTiles takes, too
inline constexpr bool kScale8 = true;      ///< Weights times 2^8
inline constexpr bool kScale2 = true;      ///< Weights times 2^2, for what kScale8 takes, too
inline constexpr bool kBorder = true;      ///< The image is copied with its border
inline constexpr bool kDepthwiseAsConv = true;  ///< One input channel
inline constexpr bool kDepthwiseFour = true;    ///< Any window, four channels at a time
// 3x3 over planes, by stride and bytes in a row of a plane. More bytes take what fewer do.
inline constexpr bool kPlanes1By32 = true;
inline constexpr bool kPlanes1By64 = true;
inline constexpr bool kPlanes1By128 = true;
inline constexpr bool kPlanes1Exact = true;
inline constexpr bool kPlanes2By32 = true;
inline constexpr bool kPlanes2By64 = true;
inline constexpr bool kPlanes2By128 = true;
inline constexpr bool kPlanes2Exact = true;
inline constexpr bool kPlanesAnyScaling = true;
inline constexpr bool kPackedRows = true;
inline constexpr bool kPackedRowsExact = true;
inline constexpr bool kLinearRows = true;
inline constexpr bool kAvgPoolRows = true;

/// Stops the image: `form` is what its program takes and what it has been built without.
[[noreturn]] inline void left_out(const char* form) { panic("forms.h", __LINE__, form); }

}  // namespace forms
}  // namespace mcugen
