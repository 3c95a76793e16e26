// SPDX-License-Identifier: BSD-3-Clause

#pragma GCC optimize("O2")

#include <kernels/clamp_s8.h>
#include <kernels/gemm_s8_mla.h>
#include <kernels/loops_mla.h>
#include <kernels/requantize.h>
#include <kernels/winograd_s8_mla.h>

#include <cstring>

#if MCUGEN_MLA_CHANNELS == 2

namespace mcugen {
namespace {

/// Most input channels that mcugen_mla_winograd_products is unrolled for.
constexpr int32_t kMostInCh = 64;

/// What the scratch holds, in bytes and in this order: rows of tiles; the weights of the pairs of
/// output channels that are kept; and either four rows of the image with its border, or the weights
/// of a pair that is not kept.
struct Layout {
  int32_t columns, tile_row, pair, rest;

  explicit Layout(const Conv2dS8Params& p)
      : columns(p.out_w + 2), tile_row(16 * p.in_ch * p.out_w), pair(128 * p.in_ch + 64) {
    const int32_t border = 4 * columns * p.in_ch;
    rest = border > pair ? border : pair;
  }

  uint32_t bytes(int32_t tile_rows, int32_t kept) const {
    return static_cast<uint32_t>(tile_rows * tile_row + kept * pair + rest);
  }
};

/// How the scratch is used: rows of tiles at a time, and how often that is; pairs of output
/// channels whose weights are kept.
struct Plan {
  int32_t rows, kept;
  int32_t transformed;  ///< Pairs of output channels whose weights are transformed, each time.
};

/// @returns the plan by which the fewest weights are transformed, and of those the fewest blocks.
/// @param[in] bytes At least layout.bytes(1, 0).
Plan plan_of(const Conv2dS8Params& p, const Layout& layout, uint32_t bytes) {
  const int32_t tile_rows = p.out_h / 2;
  const int32_t all_pairs = (p.out_ch + 1) / 2;
  Plan best{1, 0, INT32_MAX};
  for (int32_t rows = 1; rows <= tile_rows && layout.bytes(rows, 0) <= bytes; ++rows) {
    const int32_t blocks = (tile_rows + rows - 1) / rows;
    const int32_t room = static_cast<int32_t>(bytes - layout.bytes(rows, 0)) / layout.pair;
    const int32_t kept = room < all_pairs ? room : all_pairs;
    const int32_t transformed = kept + blocks * (all_pairs - kept);
    if (transformed <= best.transformed) {
      best = {rows, kept, transformed};
    }
  }
  return best;
}

/// Whether the convolution has a form that the loops take.
bool has_form(const Conv2dS8Params& p) {
  return p.kernel_h == 3 && p.kernel_w == 3 && p.stride_h == 1 && p.stride_w == 1 &&
         p.dilation_h == 1 && p.dilation_w == 1 && p.groups == 1 && p.in_ch > 0 &&
         p.in_ch <= kMostInCh && p.in_ch % 2 == 0 && p.out_ch >= 2 && p.out_h > 0 &&
         p.out_h % 2 == 0 && p.out_w > 0 && p.out_w <= INT16_MAX && p.out_w % 4 == 0;
}

/// Whether results are exact.
bool is_exact(const Conv2dS8Params& p, const int32_t* bias) {
  for (int32_t c = 0; c < p.out_ch; ++c) {
    const int32_t shift = kMlaScaleBits - p.shifts[c];
    const bool has_room = shift <= kMlaMostShift || shift > kMlaAllZeroShift;
    if (!has_room ||
        !mla_rescales(p.multipliers[c], p.shifts[c], bias == nullptr ? 0 : bias[c], 9 * p.in_ch)) {
      return false;
    }
  }
  return true;
}

/// Fewest pixels of the output, for each time that the weights are transformed, that save cycles.
/// On Cortex-M3 these take, per pixel and output channel, 13 in_ch + 24 cycles against 20 in_ch +
/// 15 of the matrix product, and per input and output channel 90 for the weights against 20.
constexpr int32_t kFewestPixels = 16;

/// Writes what requantize() and the zero point come to for four times a sum: see
/// mla_write_scaling().
void write_scaling(const Conv2dS8Params& p, int32_t channel, int32_t* out) {
  const int32_t shift = kMlaScaleBits - p.shifts[channel];
  if (shift > kMlaAllZeroShift) {
    out[0] = 0;
    out[1] = (1 << (kMlaScaleBits - 1)) + p.output_zero_point * (1 << kMlaScaleBits);
    out[2] = kMlaScaleBits;
    return;
  }
  out[0] = p.multipliers[channel];
  out[1] =
      (1 << (kMlaScaleBits - 2)) + (1 << (shift - 2)) + p.output_zero_point * (1 << (shift - 1));
  out[2] = shift - 1;
}

/// One convolution and its scratch.
class Convolution {
 public:
  Convolution(const Conv2dS8Params& p, const Layout& layout, const Plan& plan,
              const int8_t* weights, const int32_t* bias)
      : p_(p),
        layout_(layout),
        kept_(plan.kept),
        weights_(weights),
        bias_(bias),
        tiles_(reinterpret_cast<int16_t*>(p.scratch.data)),
        streams_(reinterpret_cast<int32_t*>(p.scratch.data + plan.rows * layout.tile_row)),
        border_(reinterpret_cast<int8_t*>(p.scratch.data + layout.bytes(plan.rows, plan.kept) -
                                          layout.rest)) {}

  /// Transforms `rows` rows of tiles, from the row of the image `y` on.
  void write_tiles(const int8_t* image, int32_t y, int32_t rows) const {
    const int32_t row_bytes = layout_.columns * p_.in_ch;
    int16_t* tiles = tiles_;
    for (; rows > 0; --rows, y += 2, tiles += layout_.tile_row / 2) {
      for (int32_t i = 0; i < 4; ++i) {
        copy_row(image, y + i, border_ + i * row_bytes);
      }
      for (int32_t c = 0; c < p_.in_ch; ++c) {
        mcugen_mla_winograd_input(border_ + c, static_cast<uint32_t>(p_.in_ch),
                                  static_cast<uint32_t>(row_bytes), tiles + 2 * c);
      }
    }
  }

  /// Computes `rows` rows of tiles.
  /// @param[in] again Whether the weights that are kept are there.
  void write_outputs(int32_t rows, bool again, int8_t* out) const {
    McugenWinogradProducts products;
    products.tiles = tiles_;
    products.tiles_end = tiles_ + rows * layout_.tile_row / 2;
    products.pixel_step = p_.out_ch;
    products.row_bytes = p_.out_w * p_.out_ch;
    products.pairs = p_.out_w / 4;
    products.steps = static_cast<uint32_t>(p_.in_ch / 2);
    const int32_t all_pairs = (p_.out_ch + 1) / 2;
    for (int32_t pair = 0; pair < all_pairs; ++pair) {
      // Of an odd number of channels, the last is once more with the one before.
      const int32_t c = 2 * pair + 2 <= p_.out_ch ? 2 * pair : p_.out_ch - 2;
      // All that are not kept come where there is room for one more.
      const bool kept = pair < kept_;
      int32_t* const stream = streams_ + (kept ? pair : kept_) * (layout_.pair / 4);
      if (!kept || !again) {
        write_weights(c, stream);
      }
      for (int32_t i = 0; i < 2; ++i) {
        write_scaling(p_, c + i, products.scaling + 3 * i);
      }
      products.weights = stream;
      products.out = out + c;
      mcugen_mla_winograd_products(&products);
    }
  }

 private:
  /// Copies what the tiles read of a row of the image; outside of it there is the zero point.
  void copy_row(const int8_t* image, int32_t y, int8_t* to) const {
    const size_t bytes = static_cast<size_t>(layout_.columns * p_.in_ch);
    const int32_t right = layout_.columns - p_.pad_left;
    const int32_t columns = right < p_.in_w ? right : p_.in_w;
    const bool inside = y >= 0 && y < p_.in_h && columns > 0;
    if (!inside || columns < layout_.columns) {
      memset(to, p_.input_zero_point, bytes);
    }
    if (inside) {
      memcpy(to + p_.pad_left * p_.in_ch, image + y * p_.in_w * p_.in_ch,
             static_cast<size_t>(columns * p_.in_ch));
    }
  }

  /// Transforms the weights of channels c and c + 1.
  void write_weights(int32_t c, int32_t* stream) const {
    const int32_t column = layout_.pair / 16;
    for (int32_t i = 0; i < 2; ++i) {
      int32_t* const out = stream + 4 + 2 * i;
      mcugen_mla_winograd_weights(weights_ + (c + i) * 9 * p_.in_ch, out,
                                  static_cast<uint32_t>(p_.in_ch));
      int32_t sum = 0;  // which position (1, 1) has
      for (int32_t k = 0; k < p_.in_ch; k += 2) {
        sum += out[column + 2 * k] + out[column + 2 * k + 1];
      }
      // Inputs are not less their zero point.
      const int32_t start =
          wrapping_sub(bias_ == nullptr ? 0 : bias_[c + i], wrapping_mul(sum, p_.input_zero_point));
      for (int32_t j = 0; j < 4; ++j) {
        stream[j * column + i] = stream[j * column + i + 2] =
            j == 1 ? wrapping_mul(start, 1 << kMlaScaleBits) : 0;
      }
    }
  }

  const Conv2dS8Params& p_;
  const Layout& layout_;
  const int32_t kept_;  ///< Pairs of output channels.
  const int8_t* const weights_;
  const int32_t* const bias_;
  int16_t* const tiles_;
  int32_t* const streams_;
  int8_t* const border_;
};

}  // namespace

uint32_t winograd_s8_mla_scratch(const Conv2dS8Params& p, int32_t tile_rows, int32_t kept) {
  return Layout(p).bytes(tile_rows, kept);
}

// Not inlined: its stack is not to be held while another form runs.
__attribute__((noinline)) bool winograd_s8_mla(const Conv2dS8Params& p, const int8_t* input,
                                               const int8_t* weights, const int32_t* bias,
                                               int8_t* output) {
  if (!has_form(p)) {
    return false;
  }
  const Layout layout(p);
  if (p.scratch.bytes < layout.bytes(1, 0)) {
    return false;
  }
  const Plan plan = plan_of(p, layout, p.scratch.bytes);
  const int32_t all_pairs = (p.out_ch + 1) / 2;
  if (p.out_h * p.out_w * all_pairs < kFewestPixels * plan.transformed || !is_exact(p, bias)) {
    return false;
  }
  const Convolution convolution(p, layout, plan, weights, bias);
  const int32_t tile_rows = p.out_h / 2;
  const int32_t row_bytes = p.out_w * p.out_ch;
  int8_t* out = output;
  for (int32_t b = 0; b < p.batch; ++b, input += p.in_h * p.in_w * p.in_ch) {
    for (int32_t first = 0; first < tile_rows; first += plan.rows) {
      const int32_t here = tile_rows - first < plan.rows ? tile_rows - first : plan.rows;
      convolution.write_tiles(input, 2 * first - p.pad_top, here);
      convolution.write_outputs(here, out != output, out);
      out += 2 * here * row_bytes;
    }
  }
  if (p.activation_min != INT8_MIN || p.activation_max != INT8_MAX) {
    clamp_s8_scalar(p.batch * p.out_h * row_bytes, output, static_cast<int8_t>(p.activation_min),
                    static_cast<int8_t>(p.activation_max), output);
  }
  return true;
}

}  // namespace mcugen

#endif
