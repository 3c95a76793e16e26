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

// What is taken where no other form is, on every core.
inline constexpr bool kConvScalar = true;
inline constexpr bool kDepthwiseScalar = true;
inline constexpr bool kTransposeScalar = true;
inline constexpr bool kLinearScalar = true;
inline constexpr bool kPackedLinearScalar = true;
inline constexpr bool kPackedConvScalar = true;
inline constexpr bool kConvDepthwiseScalar = true;
inline constexpr bool kAvgPoolScalar = true;
inline constexpr bool kMaxPoolScalar = true;
inline constexpr bool kChoice = true;  ///< Whether convolutions ask: conv_choice.h
inline constexpr bool kTemp = true;    ///< Memory of the temp allocator, where scratch is short

// With the DSP extension.
inline constexpr bool kWinograd = true;         ///< Takes kGemm where it does not pay
inline constexpr bool kGemm = true;             ///< Convolutions by a matrix product
inline constexpr bool kPackedGemm = true;       ///< The same of weights packed ahead of time
inline constexpr bool kFourPixels = true;       ///< Of both, four pixels at a time, not two
inline constexpr bool kPackedWinograd = true;   ///< Winograd, of weights transformed ahead of time
inline constexpr bool kPackedWinograd4 = true;  ///< The same of F(4x4, 3x3)
inline constexpr bool kConvDepthwise = true;    ///< The same, for a depthwise one to read at once
inline constexpr bool kBorder = true;           ///< There, of an image copied with its border
inline constexpr bool kDepthwiseAsConv = true;  ///< There, of one input channel
inline constexpr bool kPlanes = true;           ///< Depthwise 3x3 windows over planes of a channel
inline constexpr bool kDepthwiseFour = true;    ///< Any window, four channels at a time
inline constexpr bool kTransposeRows = true;    ///< Four rows of weights at a time
inline constexpr bool kLinearRows = true;       ///< The same
inline constexpr bool kPackedRows = true;       ///< Packed ones, no result below the zero point
inline constexpr bool kPackedRowsExact = true;  ///< Any result
inline constexpr bool kAvgPoolRows = true;      ///< Four channels at a time
inline constexpr bool kMaxPoolRows = true;      ///< The same

// With Helium.
inline constexpr bool kNeighbours = true;  ///< Loops for 3x3 windows of 16, 32 or 64 channels

/// Stops the image: `form` is what its program takes and what it has been built without.
[[noreturn]] inline void left_out(const char* form) { panic("forms.h", __LINE__, form); }

}  // namespace forms
}  // namespace mcugen
