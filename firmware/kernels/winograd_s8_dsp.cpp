// SPDX-License-Identifier: BSD-3-Clause

#pragma GCC optimize("O2")

#include <kernels/gemm_s8_dsp.h>
#include <kernels/loops_dsp.h>
#include <kernels/requantize.h>
#include <kernels/winograd_s8_dsp.h>

#include <cstring>

namespace mcugen {
namespace {

/// Most input channels that mcugen_dsp_winograd_products is unrolled for.
constexpr int32_t kMostInCh = 64;

/// Sums are scaled by 2^kBits.
constexpr int32_t kBits = 2;

/// Largest shift whose zero point fits into the offset, and the one above which results are 0: as
/// in gemm_s8_dsp.cpp.
constexpr int32_t kMostShift = 24;
constexpr int32_t kAllZeroShift = 31;

/// What the scratch holds, in bytes and in this order: weights of two output channels; a row of
/// pixels outside of the image; the columns of a row of tiles; tiles.
struct Layout {
  int32_t stream, outside, columns, tile_row;

  explicit Layout(const Conv2dS8Params& p)
      : stream(64 * p.in_ch + 64),
        outside(p.in_w * p.in_ch),
        columns(32 * (p.out_w + 2)),
        tile_row(16 * p.in_ch * p.out_w) {}

  uint32_t fixed() const { return static_cast<uint32_t>(stream + outside + columns); }
};

/// Columns of the tiles inside of the image.
int32_t columns_inside(const Conv2dS8Params& p) {
  const int32_t right = p.out_w + 2 - p.pad_left;
  return right < p.in_w ? right : p.in_w;
}

/// Whether the convolution has a form that the loops take.
bool has_form(const Conv2dS8Params& p) {
  return p.kernel_h == 3 && p.kernel_w == 3 && p.stride_h == 1 && p.stride_w == 1 &&
         p.dilation_h == 1 && p.dilation_w == 1 && p.groups == 1 && p.in_ch > 0 &&
         p.in_ch <= kMostInCh && p.in_ch % 4 == 0 && p.out_ch >= 2 && p.out_h > 0 &&
         p.out_h % 2 == 0 && p.out_w > 0 && p.out_w <= INT16_MAX && p.out_w % 4 == 0 &&
         columns_inside(p) >= 1;
}

/// Whether results are exact.
bool is_exact(const Conv2dS8Params& p, const int32_t* bias) {
  uint32_t most_bias = 0;
  for (int32_t c = 0; c < p.out_ch; ++c) {
    const int32_t shift = kBits - p.shifts[c];
    if (p.shifts[c] > -1 || p.multipliers[c] < 0 ||
        (shift > kMostShift && shift <= kAllZeroShift)) {
      return false;
    }
    if (bias != nullptr) {
      const uint32_t size = static_cast<uint32_t>(bias[c] < 0 ? ~bias[c] : bias[c]);
      most_bias = size > most_bias ? size : most_bias;
    }
  }
  const int32_t below = p.input_zero_point + 128;
  const int32_t above = 127 - p.input_zero_point;
  const int64_t most = static_cast<int64_t>(below > above ? below : above) * 128 * 9 * p.in_ch;
  return most + most_bias + 1 < INT64_C(1) << (31 - kBits);
}

/// Fewest pixels of the output at a time that save instructions. On Cortex-M4 these take, per pixel
/// and output channel, 2.5 in_ch + 17 instructions against 5.6 in_ch + 13 of the matrix product;
/// per pixel and input channel about 9 each, for tiles or for windows; and per input and output
/// channel 35 each time, for the weights. So 3.1 in_ch - 4 is saved per pixel, and 35 in_ch are
/// spent.
constexpr int32_t kFewestPixels = 16;

/// Writes what requantize() and the zero point come to for four times a sum: see write_scaling() in
/// gemm_s8_dsp.cpp.
void write_scaling(const Conv2dS8Params& p, int32_t channel, int32_t* out) {
  const int32_t shift = kBits - p.shifts[channel];
  if (shift > kAllZeroShift) {
    out[0] = 0;
    out[1] = (1 << (kBits - 1)) + p.output_zero_point * (1 << kBits);
    out[2] = kBits;
    return;
  }
  out[0] = p.multipliers[channel];
  out[1] = (1 << (kBits - 2)) + (1 << (shift - 2)) + p.output_zero_point * (1 << (shift - 1));
  out[2] = shift - 1;
}

/// One convolution, its image and its scratch.
class Convolution {
 public:
  Convolution(const Conv2dS8Params& p, const int8_t* weights, const int32_t* bias)
      : p_(p),
        layout_(p),
        weights_(weights),
        bias_(bias),
        stream_(reinterpret_cast<int32_t*>(p.scratch.data)),
        outside_(reinterpret_cast<int8_t*>(p.scratch.data) + layout_.stream),
        columns_(reinterpret_cast<int16_t*>(p.scratch.data + layout_.stream + layout_.outside)),
        tiles_(reinterpret_cast<int16_t*>(p.scratch.data + layout_.fixed())) {
    memset(stream_, 0, static_cast<size_t>(layout_.stream));
    memset(outside_, p.input_zero_point, static_cast<size_t>(layout_.outside));
    // Of a column of pixels at the zero point only row 1 is not 0.
    const int16_t twice = static_cast<int16_t>(2 * p.input_zero_point);
    const int16_t column[16] = {0, 0, 0, 0, twice, twice, 0, 0, 0, 0, 0, 0, twice, twice, 0, 0};
    for (int32_t x = 0; x < p.out_w + 2; ++x) {
      memcpy(columns_ + 16 * x, column, sizeof column);
    }
  }

  /// Transforms `rows` rows of tiles, from the row of the image `y` on.
  void write_tiles(const int8_t* image, int32_t y, int32_t rows) const {
    const int32_t row_bytes = p_.in_w * p_.in_ch;
    McugenDspWinogradInput input;
    input.row_bytes = static_cast<uint32_t>(columns_inside(p_) * p_.in_ch);
    input.in_ch = static_cast<uint32_t>(p_.in_ch);
    input.inside = columns_ + 16 * p_.pad_left;
    input.columns = columns_;
    input.columns_end = columns_ + 16 * p_.out_w;
    int16_t* tiles = tiles_;
    for (; rows > 0; --rows, y += 2, tiles += layout_.tile_row / 2) {
      for (int32_t i = 0; i < 4; ++i) {
        const bool inside = y + i >= 0 && y + i < p_.in_h;
        input.rows[i] = inside ? image + (y + i) * row_bytes : outside_;
      }
      input.tiles = tiles;
      for (int32_t c = 0; c < p_.in_ch; c += 4, input.tiles += 8) {
        mcugen_dsp_winograd_input(&input);
        for (const int8_t*& row : input.rows) {
          row += 4;
        }
      }
    }
  }

  /// Computes `rows` rows of tiles.
  void write_outputs(int32_t rows, int8_t* out) const {
    McugenDspWinogradProducts products;
    products.tiles = tiles_;
    products.tiles_end = tiles_ + rows * layout_.tile_row / 2;
    products.weights = stream_;
    products.pixel_step = p_.out_ch;
    products.row_bytes = p_.out_w * p_.out_ch;
    products.pairs = p_.out_w / 4;
    products.fours = static_cast<uint32_t>(p_.in_ch / 4);
    const int32_t channel_step = 9 * p_.in_ch;
    int32_t* const starts = stream_ + layout_.stream / 16;  // of column 1
    for (int32_t c = 0; c < p_.out_ch; c += 2) {
      if (c + 1 == p_.out_ch) {
        --c;  // an odd one: once more with the one before
      }
      for (int32_t i = 0; i < 2; ++i) {
        // Behind what column 0 starts from, channel 0 first.
        int16_t* const to = reinterpret_cast<int16_t*>(stream_ + 4 + 2 * i);
        const int32_t sum = mcugen_dsp_winograd_weights(weights_ + (c + i) * channel_step, to,
                                                        static_cast<uint32_t>(p_.in_ch));
        // Inputs are not less their zero point.
        const int32_t start = wrapping_sub(bias_ == nullptr ? 0 : bias_[c + i],
                                           wrapping_mul(sum, p_.input_zero_point));
        starts[i] = starts[i + 2] = wrapping_mul(start, 1 << kBits);
        write_scaling(p_, c + i, products.scaling + 3 * i);
      }
      products.out = out + c;
      mcugen_dsp_winograd_products(&products);
    }
  }

 private:
  const Conv2dS8Params& p_;
  const Layout layout_;
  const int8_t* const weights_;
  const int32_t* const bias_;
  int32_t* const stream_;
  int8_t* const outside_;
  int16_t* const columns_;
  int16_t* const tiles_;
};

}  // namespace

uint32_t winograd_s8_scratch(const Conv2dS8Params& p, int32_t tile_rows) {
  const Layout layout(p);
  return layout.fixed() + static_cast<uint32_t>(tile_rows * layout.tile_row);
}

bool winograd_s8(const Conv2dS8Params& p, const int8_t* input, const int8_t* weights,
                 const int32_t* bias, int8_t* output) {
  if (!has_form(p) || p.scratch.bytes < winograd_s8_scratch(p, 1)) {
    return false;
  }
  const Layout layout(p);
  const int32_t tile_rows = p.out_h / 2;
  const int32_t most = static_cast<int32_t>(p.scratch.bytes - layout.fixed()) / layout.tile_row;
  // As many blocks as it takes, of about the same size.
  const int32_t blocks = (tile_rows + most - 1) / most;
  const int32_t block = (tile_rows + blocks - 1) / blocks;
  if (p.out_h * p.out_w < kFewestPixels * blocks || !is_exact(p, bias)) {
    return false;
  }
  const Convolution convolution(p, weights, bias);
  const int32_t row_bytes = p.out_w * p.out_ch;
  int8_t* out = output;
  for (int32_t b = 0; b < p.batch; ++b, input += p.in_h * p.in_w * p.in_ch) {
    for (int32_t first = 0; first < tile_rows; first += block) {
      const int32_t here = tile_rows - first < block ? tile_rows - first : block;
      convolution.write_tiles(input, 2 * first - p.pad_top, here);
      convolution.write_outputs(here, out);
      out += 2 * here * row_bytes;
    }
  }
  if (p.activation_min != INT8_MIN || p.activation_max != INT8_MAX) {
    clamp_run_s8(output, p.batch * p.out_h * row_bytes, p.activation_min, p.activation_max);
  }
  return true;
}

}  // namespace mcugen
