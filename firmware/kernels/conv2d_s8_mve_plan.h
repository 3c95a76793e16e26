// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <kernels/conv2d_s8_params.h>

#include <cstdint>

namespace mcugen {

/// Where the weights of a convolution are: from one output channel, row and column of the window to
/// the next, in bytes. Input channels follow one another.
struct MveConvWeights {
  const int8_t* data;
  int32_t channel, row, column;
};

/// Where conv2d_s8_mve() has the taps of its windows from, and the scratch for that: the weights of
/// four channels, the sums of a block of pixels, as many as there is room for, then a copy of the
/// input with its padding (the zero point, which the weights' sums take out of the bias).
struct MveConvPlan {
  enum class Source {
    kInput,  ///< Nothing is padded.
    kStrip,  ///< Rows of the input, padded.
    kBands,  ///< For each row of the output the rows it sees, column by column. Few channels only,
             ///< where the taps of a row would fill a fraction of a register.
    kColumns,  ///< Each output pixel's window for itself.
  };

  /// @param[in] transposed Whether output channels are the weights' last dimension. Then only
  /// kBands
  ///     will do.
  explicit MveConvPlan(const Conv2dS8Params& p, bool transposed = false)
      : in_ch(p.in_ch / p.groups),
        out_ch(p.out_ch / p.groups),
        depth(p.kernel_h * p.kernel_w * in_ch),
        kernel_rows(1),
        kernel_run(p.kernel_w * in_ch),
        stride_h(p.stride_h),
        window_h((p.kernel_h - 1) * p.dilation_h + 1),
        strip_w((p.out_w - 1) * p.stride_w + p.kernel_w),
        strip_row(strip_w * p.in_ch),
        band_row(strip_row * p.kernel_h),
        out_h(p.out_h),
        out_w(p.out_w) {
    const bool one_tap = p.kernel_h == 1 && p.kernel_w == 1;
    const bool runs = one_tap || (p.dilation_w == 1 && p.groups == 1);
    const bool inside = p.pad_top == 0 && p.pad_left == 0 &&
                        (p.out_h - 1) * p.stride_h + window_h <= p.in_h &&
                        (p.out_w - 1) * p.stride_w + (p.kernel_w - 1) * p.dilation_w + 1 <= p.in_w;
    one_run = inside && one_tap && p.stride_h == 1 && p.stride_w == 1 && p.out_h == p.in_h &&
              p.out_w == p.in_w;
    const int32_t row_chunks = (kernel_run + 15) / 16;
    const bool scattered = p.kernel_h * row_chunks > (depth + 15) / 16 &&
                           15 / in_ch * p.kernel_h * in_ch + in_ch <= 256 && in_ch <= 8 &&
                           p.kernel_h * p.kernel_w * p.out_ch <= 65535 &&
                           out_ch * depth <= kMostPermuted;
    if (runs && scattered && p.groups == 1) {
      source = Source::kBands;
    } else if (runs && inside && (one_tap || kernel_run % 16 == 0) && row_chunks <= kMaxRowChunks) {
      source = Source::kInput;
      kernel_rows = p.kernel_h;
    } else if (runs && p.groups == 1 && row_chunks <= kMaxRowChunks) {
      source = Source::kStrip;
      kernel_rows = p.kernel_h;
    } else {
      source = one_tap && inside ? Source::kInput : Source::kColumns;
    }
    possible = out_ch >= 4 && p.out_ch <= kMaxChannels && (!transposed || source == Source::kBands);
    band_pixels = 16 / in_ch;
    run = kernel_rows == 1 ? depth : kernel_run;
    chunks = (run + 15) / 16;
    // The first chunk of a row that stands alone is the odd one: so nothing behind its end is read.
    lead = kernel_rows == 1 && source != Source::kStrip ? chunks * 16 - run : 0;
  }

  uint32_t packed_bytes() const { return static_cast<uint32_t>(64 * kernel_rows * chunks); }

  /// @returns the output pixels whose sums there is room for, at least, given scratch for `pixels`.
  int32_t block(int32_t pixels) const {
    const bool follows = source == Source::kInput || pixels == INT32_MAX;
    const int32_t most = follows ? kMostBlock : kBlock;
    const int32_t wanted = pixels < kBlock ? kBlock : pixels < most ? pixels : most;
    const int32_t all = out_h * out_w < 2 ? 2 : out_h * out_w;
    return wanted < all ? wanted : all;
  }

  /// @returns the bytes for the sums of `pixels` output pixels.
  static uint32_t sums_bytes(int32_t pixels) { return static_cast<uint32_t>(16 * (pixels + 1)); }

  /// @returns the bytes that a call needs besides a copy of the input.
  uint32_t fixed_bytes(int32_t pixels) const {
    return packed_bytes() + sums_bytes(block(pixels)) + permuted_bytes();
  }

  /// @returns the bytes of all weights in the order of bands, and of where they come from.
  uint32_t permuted_bytes() const {
    return source == Source::kBands ? static_cast<uint32_t>(out_ch * depth + 2 * depth + 33) & ~15u
                                    : 0;
  }

  /// @returns the rows of the input that `rows` of the output see.
  int32_t strip_rows(int32_t rows) const { return (rows - 1) * stride_h + window_h; }

  /// @returns the rows of the output that have `pixels`, or all.
  int32_t rows_of(int32_t pixels) const {
    const int32_t whole = (pixels + out_w - 1) / out_w;
    return whole < out_h ? whole : out_h;
  }

  /// @returns what scratch is needed for `pixels` output pixels at a time, or, of INT32_MAX, as
  /// many as pay.
  uint32_t scratch_bytes(int32_t pixels) const {
    const int32_t asked = pixels;
    const int32_t useful = source == Source::kColumns ? kColumnPixels : kStripPixels;
    pixels = pixels < useful ? pixels : useful;
    const int32_t rows = rows_of(pixels);
    const int32_t all = out_h * out_w;
    int32_t window = 0;
    if (source == Source::kStrip) {
      window = strip_rows(rows) * strip_row + 16;
    } else if (source == Source::kBands) {
      window = rows * band_row;
    } else if (source == Source::kColumns) {
      window = (pixels < all ? pixels : all) * depth;
    }
    return fixed_bytes(asked) + static_cast<uint32_t>(window);
  }

  /// @returns the bytes below which it is slow: for 16 output pixels, and as much for the bands,
  /// for each strip of which the rest is prepared, as for that.
  uint32_t least_bytes() const {
    const int32_t rows = static_cast<int32_t>(fixed_bytes(1)) / band_row;
    const int32_t pixels = source == Source::kBands ? rows * out_w : 0;
    return scratch_bytes(pixels < 16 ? 16 : pixels);
  }

  /// @returns how many rows of the output the scratch has room for, or as many as pay.
  int32_t rows_in(uint32_t scratch) const {
    const int32_t room = static_cast<int32_t>(scratch - fixed_bytes(1));
    if (source == Source::kBands) {
      return room / band_row;
    }
    const int32_t rows = ((room - 16) / strip_row - window_h) / stride_h + 1;
    const int32_t useful = rows_of(kStripPixels);
    return rows < useful ? rows : useful;
  }

  /// @returns how many of `left` rows of the output can be made from a strip that lies in the
  /// others.
  int32_t rows_before(int32_t left) const {
    const int32_t out_row = out_w * out_ch;
    // rows * out_row + strip_rows(rows) * strip_row + 16 <= left * out_row
    const int32_t room = left * out_row - (window_h - stride_h) * strip_row - 16;
    return room < 0 ? 0 : room / (out_row + stride_h * strip_row);
  }

  /// @returns how many output pixels the scratch has room for.
  int32_t columns_in(uint32_t scratch) const {
    const int32_t columns = static_cast<int32_t>(scratch - fixed_bytes(1)) / depth;
    return columns > 1 ? columns & ~1 : 1;
  }

  static constexpr int32_t kMaxChannels =
      21844;  // 16 bits lead from an output pixel to the third after it
  static constexpr int32_t kMaxRowChunks = 16;
  static constexpr int32_t kMostPermuted = 4096;
  static constexpr int32_t kBlock = 26, kMostBlock = 96;
  static constexpr int32_t kStripPixels = 128;
  static constexpr int32_t kColumnPixels = 32;

  int32_t in_ch, out_ch;  ///< Of a group.
  int32_t depth;          ///< Taps of a window.
  int32_t kernel_rows;    ///< That the loop steps through,
  int32_t run;            ///< of that many bytes,
  int32_t chunks;         ///< or 16 taps each.
  int32_t lead;           ///< Taps that the first chunk lacks.
  int32_t kernel_run;     ///< Bytes in a row of the kernel.
  int32_t stride_h;
  int32_t window_h;     ///< With the rows that dilation leaves out.
  int32_t strip_w;      ///< Pixels in a row of the strip.
  int32_t strip_row;    ///< Bytes in it.
  int32_t band_row;     ///< Bytes that a row of the output has in bands.
  int32_t band_pixels;  ///< That are copied at once.
  int32_t out_h, out_w;
  bool one_run;   ///< Whether all pixels follow one another.
  bool possible;  ///< Whether there is a way, given enough scratch.
  Source source;
};

/// conv2d_s8_mve() of one input channel and weights int8[kernel_h, kernel_w, out_ch].
/// @returns false, and does nothing, where it has no way to do that or too little scratch.
bool conv2d_s8_transposed_mve(const Conv2dS8Params& params, const int8_t* input,
                              const int8_t* weights, const int32_t* bias, int8_t* output);

}  // namespace mcugen
