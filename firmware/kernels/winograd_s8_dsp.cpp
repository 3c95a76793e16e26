// SPDX-License-Identifier: BSD-3-Clause

#pragma GCC optimize("O2")

#include <kernels/clamp_s8.h>
#include <kernels/forms.h>
#include <kernels/loops_dsp.h>
#include <kernels/packed_conv_form.h>
#include <kernels/requantize.h>
#include <kernels/second_rounding.h>
#include <kernels/winograd_form.h>
#include <kernels/winograd_s8_dsp.h>

#include <cstring>

namespace mcugen {
namespace {

/// Sums, of which seven times as much has to fit into 32 bits, are below this.
constexpr int64_t kMostSum = INT64_C(1) << 28;

/// What the scratch holds, in bytes and in this order: a row of pixels outside of the image; the
/// columns of a row of tiles; rows of tiles; and the weights of pairs of output channels.
struct Layout {
  int32_t outside, columns, tile_row, pair;

  explicit Layout(const Conv2dS8Params& p)
      : outside(p.in_w * p.in_ch),
        columns(32 * (p.out_w + 2)),
        tile_row(16 * p.in_ch * p.out_w),
        pair(64 * p.in_ch + 64) {}

  uint32_t bytes(int32_t tile_rows, int32_t pairs) const {
    return static_cast<uint32_t>(outside + columns + tile_rows * tile_row + pairs * pair);
  }
};

/// How the scratch is used: rows of tiles at a time, and how often that is; pairs of output
/// channels that there is room for.
struct Plan {
  int32_t rows, pairs;
  int32_t transformed;  ///< Pairs of output channels whose weights are transformed, each time.
};

/// @returns the plan by which the fewest weights are transformed, and of those the fewest blocks.
/// @param[in] bytes At least layout.bytes(1, 1).
Plan plan_of(const Conv2dS8Params& p, const Layout& layout, uint32_t bytes) {
  const int32_t tile_rows = p.out_h / 2;
  const int32_t all_pairs = (p.out_ch + 1) / 2;
  Plan best{1, 1, INT32_MAX};
  for (int32_t rows = 1; rows <= tile_rows && layout.bytes(rows, 1) <= bytes; ++rows) {
    const int32_t blocks = (tile_rows + rows - 1) / rows;
    const int32_t room = static_cast<int32_t>(bytes - layout.bytes(rows, 0)) / layout.pair;
    const int32_t pairs = room < all_pairs ? room : all_pairs;
    const int32_t kept = pairs == all_pairs ? pairs : pairs - 1;
    const int32_t transformed = kept + blocks * (all_pairs - kept);
    if (transformed <= best.transformed) {
      best = {rows, pairs, transformed};
    }
  }
  return best;
}

/// Whether results are exact.
bool is_exact(const Conv2dS8Params& p, const int32_t* bias) {
  uint32_t most_bias = 0;
  for (int32_t c = 0; c < p.out_ch; ++c) {
    if (p.shifts[c] > -1 || p.multipliers[c] < 0) {
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
  return most + most_bias < kMostSum;
}

/// Whether transforming the weights of `transformed` pairs of output channels takes less than is
/// saved with `outputs` pairs of outputs. On Cortex-M4 these take, per pixel and output channel,
/// 2.5 in_ch + 16 instructions against 5.6 in_ch + 7 of the matrix product; per pixel and input
/// channel about 9 each, for tiles or for windows; and per input and output channel 35 for the
/// weights.
bool saves(const Conv2dS8Params& p, int64_t outputs, int32_t transformed) {
  return outputs * (3 * p.in_ch - 9) >= static_cast<int64_t>(transformed) * 35 * p.in_ch;
}

/// One convolution and its scratch.
class Convolution {
 public:
  /// @param[in] packed Weights transformed ahead of time, as PackedConvForm::kWinograd2 has them;
  ///     then there are no others, nor bias, multipliers and shifts.
  Convolution(const Conv2dS8Params& p, const Layout& layout, const Plan& plan,
              const int8_t* weights, const int32_t* bias, const int32_t* packed)
      : p_(p),
        layout_(layout),
        pairs_(plan.pairs),
        weights_(weights),
        bias_(bias),
        packed_(packed),
        outside_(reinterpret_cast<int8_t*>(p.scratch.data)),
        columns_(reinterpret_cast<int16_t*>(p.scratch.data + layout.outside)),
        tiles_(reinterpret_cast<int16_t*>(p.scratch.data + layout.bytes(0, 0))),
        streams_(reinterpret_cast<int32_t*>(p.scratch.data + layout.bytes(plan.rows, 0))) {
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
    input.row_bytes = static_cast<uint32_t>(winograd_columns_inside(p_) * p_.in_ch);
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
  /// @param[in] again Whether the weights that are kept are there.
  void write_outputs(int32_t rows, bool again, int8_t* out) const {
    McugenWinogradProducts products;
    products.tiles = tiles_;
    products.tiles_end = tiles_ + rows * layout_.tile_row / 2;
    products.pixel_step = p_.out_ch;
    products.row_bytes = p_.out_w * p_.out_ch;
    products.pairs = p_.out_w / 4;
    products.steps = static_cast<uint32_t>(p_.in_ch / 4);
    const int32_t all_pairs = (p_.out_ch + 1) / 2;
    for (int32_t pair = 0; pair < all_pairs; ++pair) {
      // Of an odd number of channels, the last is once more with the one before.
      const int32_t c = 2 * pair + 2 <= p_.out_ch ? 2 * pair : p_.out_ch - 2;
      if (forms::kPackedWinograd && packed_ != nullptr) {
        const int32_t words = packed_conv_winograd2_words(p_.in_ch);
        products.weights = packed_ + pair * words;
        memcpy(products.scaling, products.weights + words - 6, sizeof products.scaling);
      } else if (forms::kWinograd) {
        products.weights = prepared(c, pair, all_pairs, again, products.scaling);
      }
      products.out = out + c;
      mcugen_dsp_winograd_products(&products);
    }
  }

 private:
  /// @returns the weights of channels c and c + 1, transformed where they are not there yet.
  /// @param[out] scaling Of both.
  const int32_t* prepared(int32_t c, int32_t pair, int32_t all_pairs, bool again,
                          int32_t* scaling) const {
    // All that are not kept come where the last one has room.
    const bool kept = pair < pairs_ - 1 || pairs_ == all_pairs;
    int32_t* const stream = streams_ + (kept ? pair : pairs_ - 1) * (layout_.pair / 4);
    if (!kept || !again) {
      write_weights(c, stream);
    }
    for (int32_t i = 0; i < 2; ++i) {
      scaling[3 * i] = p_.multipliers[c + i];
      scaling[3 * i + 1] = second_rounding_factor(-p_.shifts[c + i]);
      scaling[3 * i + 2] = p_.output_zero_point;
    }
    return stream;
  }

  /// Transforms the weights of channels c and c + 1.
  void write_weights(int32_t c, int32_t* stream) const {
    const int32_t column = layout_.pair / 16;
    for (int32_t i = 0; i < 2; ++i) {
      int16_t* const to = reinterpret_cast<int16_t*>(stream + 4 + 2 * i);
      const int32_t sum = mcugen_dsp_winograd_weights(weights_ + (c + i) * 9 * p_.in_ch, to,
                                                      static_cast<uint32_t>(p_.in_ch));
      // Inputs are not less their zero point.
      const int32_t start =
          wrapping_sub(bias_ == nullptr ? 0 : bias_[c + i], wrapping_mul(sum, p_.input_zero_point));
      for (int32_t j = 0; j < 4; ++j) {
        stream[j * column + i] = stream[j * column + i + 2] = j == 1 ? wrapping_mul(start, 4) : 0;
      }
    }
  }

  const Conv2dS8Params& p_;
  const Layout& layout_;
  const int32_t pairs_;  ///< That there is room for.
  const int8_t* const weights_;
  const int32_t* const bias_;
  const int32_t* const packed_;
  int8_t* const outside_;
  int16_t* const columns_;
  int16_t* const tiles_;
  int32_t* const streams_;
};

/// Computes all rows of tiles.
void run(const Conv2dS8Params& p, const Convolution& convolution, int32_t rows, const int8_t* input,
         int8_t* output) {
  const int32_t tile_rows = p.out_h / 2;
  const int32_t row_bytes = p.out_w * p.out_ch;
  int8_t* out = output;
  for (int32_t b = 0; b < p.batch; ++b, input += p.in_h * p.in_w * p.in_ch) {
    for (int32_t first = 0; first < tile_rows; first += rows) {
      const int32_t here = tile_rows - first < rows ? tile_rows - first : rows;
      convolution.write_tiles(input, 2 * first - p.pad_top, here);
      convolution.write_outputs(here, out != output, out);
      out += 2 * here * row_bytes;
    }
  }
  if (p.activation_min != INT8_MIN || p.activation_max != INT8_MAX) {
    clamp_s8_scalar(p.batch * p.out_h * row_bytes, output, static_cast<int8_t>(p.activation_min),
                    static_cast<int8_t>(p.activation_max), output);
  }
}

}  // namespace

uint32_t winograd_s8_scratch(const Conv2dS8Params& p, int32_t tile_rows, int32_t pairs) {
  return Layout(p).bytes(tile_rows, pairs);
}

// Not inlined: its stack is not to be held while another form runs.
__attribute__((noinline)) bool winograd_s8(const Conv2dS8Params& p, const int8_t* input,
                                           const int8_t* weights, const int32_t* bias,
                                           int8_t* output) {
  if (!forms::kWinograd || !winograd_has_form(p)) {
    return false;
  }
  const Layout layout(p);
  if (p.scratch.bytes < layout.bytes(1, 1)) {
    return false;
  }
  const Plan plan = plan_of(p, layout, p.scratch.bytes);
  const int32_t all_pairs = (p.out_ch + 1) / 2;
  if (!saves(p, static_cast<int64_t>(p.out_h) * p.out_w * all_pairs, plan.transformed) ||
      !is_exact(p, bias)) {
    return false;
  }
  run(p, Convolution(p, layout, plan, weights, bias, nullptr), plan.rows, input, output);
  return true;
}

bool winograd_packed_s8(const Conv2dS8Params& p, const int8_t* input, const int32_t* words,
                        int8_t* output) {
  const Layout layout(p);
  if (!forms::kPackedWinograd || p.scratch.bytes < layout.bytes(1, 0)) {
    return false;
  }
  const int32_t room = static_cast<int32_t>(p.scratch.bytes - layout.bytes(0, 0)) / layout.tile_row;
  const int32_t rows = room < p.out_h / 2 ? room : p.out_h / 2;
  run(p, Convolution(p, layout, {rows, 0, 0}, nullptr, nullptr, words), rows, input, output);
  return true;
}

}  // namespace mcugen
