// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <kernels/conv2d_s8_params.h>

#include <cstdint>

namespace mcugen {

/// Where conv2d_s8_mve() has the taps of its windows from, and the scratch for that: the weights of
/// four channels, then a copy of the input with its padding (the zero point, which the weights'
/// sums take out of the bias).
struct MveConvPlan {
  enum class Source {
    kInput,    ///< Nothing is padded.
    kStrip,    ///< Rows of the input, padded.
    kColumns,  ///< Each output pixel's window for itself.
  };

  explicit MveConvPlan(const Conv2dS8Params& p)
      : in_ch(p.in_ch / p.groups),
        out_ch(p.out_ch / p.groups),
        depth(p.kernel_h * p.kernel_w * in_ch),
        kernel_rows(p.kernel_h),
        run(p.kernel_w * in_ch),
        stride_h(p.stride_h),
        window_h((p.kernel_h - 1) * p.dilation_h + 1),
        strip_w((p.out_w - 1) * p.stride_w + p.kernel_w),
        strip_row(strip_w * p.in_ch),
        out_h(p.out_h),
        out_w(p.out_w) {
    const bool one_tap = p.kernel_h == 1 && p.kernel_w == 1;
    const bool runs = one_tap || (p.dilation_w == 1 && p.groups == 1);
    const bool inside = p.pad_top == 0 && p.pad_left == 0 &&
                        (p.out_h - 1) * p.stride_h + window_h <= p.in_h &&
                        (p.out_w - 1) * p.stride_w + (p.kernel_w - 1) * p.dilation_w + 1 <= p.in_w;
    one_run = inside && one_tap && p.stride_h == 1 && p.stride_w == 1 && p.out_h == p.in_h &&
              p.out_w == p.in_w;
    const int32_t row_chunks = (run + 15) / 16;
    if (runs && inside && (one_tap || (run % 16 == 0 && row_chunks <= kMaxRowChunks))) {
      source = Source::kInput;
    } else if (runs && p.groups == 1 && row_chunks <= kMaxRowChunks && strip_is_faster()) {
      source = Source::kStrip;
    } else {
      source = Source::kColumns;
      kernel_rows = 1;
      run = depth;
    }
    chunks = (run + 15) / 16;
    // The first chunk of a row that stands alone is the odd one: so nothing behind its end is read.
    lead = kernel_rows == 1 && source != Source::kStrip ? chunks * 16 - run : 0;
  }

  /// Instructions for two pixels of four channels: those of the loop, and for columns a share of
  /// gathering them.
  bool strip_is_faster() const {
    const int32_t quads = (out_ch + 3) / 4;
    const int32_t strip = kernel_rows * (14 * ((run + 15) / 16) + 6);
    const int32_t gathering = kernel_rows * (20 + 5 * ((run + 15) / 16)) + 60;
    const int32_t columns = 14 * ((depth + 15) / 16) + 2 * gathering / quads;
    return strip <= columns;
  }

  uint32_t packed_bytes() const { return static_cast<uint32_t>(64 * kernel_rows * chunks); }

  /// @returns the rows of the input that `rows` of the output see.
  int32_t strip_rows(int32_t rows) const { return (rows - 1) * stride_h + window_h; }

  /// @returns what scratch is needed for `pixels` output pixels at a time, or as many as pay.
  uint32_t scratch_bytes(int32_t pixels) const {
    const int32_t useful = source == Source::kStrip ? kStripPixels : kColumnPixels;
    pixels = pixels < useful ? pixels : useful;
    switch (source) {
      case Source::kInput:
        return packed_bytes();
      case Source::kStrip: {
        const int32_t rows = (pixels + out_w - 1) / out_w;
        return packed_bytes() + 16 +
               static_cast<uint32_t>(strip_rows(rows < out_h ? rows : out_h) * strip_row);
      }
      default: {
        const int32_t all = out_h * out_w;
        return packed_bytes() + static_cast<uint32_t>((pixels < all ? pixels : all) * depth);
      }
    }
  }

  /// @returns how many rows of the output the scratch has room for.
  int32_t rows_in(uint32_t scratch) const {
    const int32_t rows =
        static_cast<int32_t>((scratch - packed_bytes() - 16) / static_cast<uint32_t>(strip_row));
    return (rows - window_h) / stride_h + 1;
  }

  /// @returns how many output pixels the scratch has room for.
  int32_t columns_in(uint32_t scratch) const {
    const int32_t columns =
        static_cast<int32_t>((scratch - packed_bytes()) / static_cast<uint32_t>(depth));
    return columns > 1 ? columns & ~1 : 1;
  }

  static constexpr int32_t kMaxRowChunks = 16;
  static constexpr int32_t kStripPixels = 128;
  static constexpr int32_t kColumnPixels = 32;

  int32_t in_ch, out_ch;  ///< Of a group.
  int32_t depth;          ///< Taps of a window.
  int32_t kernel_rows;    ///< That the loop steps through,
  int32_t run;            ///< of that many bytes,
  int32_t chunks;         ///< or 16 taps each.
  int32_t lead;           ///< Taps that the first chunk lacks.
  int32_t stride_h;
  int32_t window_h;   ///< With the rows that dilation leaves out.
  int32_t strip_w;    ///< Pixels in a row of the strip.
  int32_t strip_row;  ///< Bytes in it.
  int32_t out_h, out_w;
  bool one_run;  ///< Whether all pixels follow one another.
  Source source;
};

}  // namespace mcugen
