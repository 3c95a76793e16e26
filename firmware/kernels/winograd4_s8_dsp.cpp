// SPDX-License-Identifier: BSD-3-Clause

#pragma GCC optimize("O2")

#include <kernels/clamp_s8.h>
#include <kernels/forms.h>
#include <kernels/loops_winograd4_dsp.h>
#include <kernels/winograd4_s8.h>

#include <cstring>

namespace mcugen {
namespace {

/// Halfwords of a transformed column of four channels.
constexpr int32_t kColumn = 24;

/// What the scratch holds, in bytes and in this order: what the products need; pairs of tiles that
/// reach beyond the output; the columns of a row of tiles; the row of tiles; a row of pixels
/// outside of the image.
struct Layout {
  int32_t part, columns, tiles, outside;

  explicit Layout(const Conv2dS8Params& p)
      : part(64),
        columns(2 * kColumn * (8 * pairs(p) + 2)),
        tiles(144 * p.in_ch * pairs(p)),
        outside(p.in_w * p.in_ch) {}

  /// @returns the pairs of tiles in a row.
  static int32_t pairs(const Conv2dS8Params& p) { return (p.out_w + 7) / 8; }

  uint32_t bytes() const {
    return static_cast<uint32_t>(kMcugenDspWinograd4Block + part + columns + tiles + outside);
  }
};

/// One convolution and its scratch.
class Convolution {
 public:
  Convolution(const Conv2dS8Params& p, const Layout& layout, const int32_t* weights)
      : p_(p),
        weights_(weights),
        block_(p.scratch.data),
        part_(reinterpret_cast<int8_t*>(block_ + kMcugenDspWinograd4Block)),
        columns_(reinterpret_cast<int16_t*>(part_ + layout.part)),
        tiles_(columns_ + layout.columns / 2),
        outside_(reinterpret_cast<int8_t*>(tiles_ + layout.tiles / 2)) {
    memset(outside_, p.input_zero_point, static_cast<size_t>(layout.outside));
    // Of a column of pixels at the zero point only row 1 is not 0, in words of two channels.
    memset(columns_, 0, static_cast<size_t>(layout.columns));
    const uint32_t word = 0x10001u * static_cast<uint32_t>(-6 * (p.input_zero_point + 128));
    for (int32_t i = 3; i < layout.columns / 4; i += kColumn / 4) {
      memcpy(columns_ + 2 * i, &word, sizeof word);
    }
  }

  /// Transforms a row of tiles, from the row of the image `y` on.
  void write_tiles(const int8_t* image, int32_t y) const {
    const int32_t pairs = Layout::pairs(p_);
    const int32_t right = 8 * pairs + 2 - p_.pad_left;
    McugenDspWinograd4Input input;
    input.row_bytes = static_cast<uint32_t>((right < p_.in_w ? right : p_.in_w) * p_.in_ch);
    input.in_ch = static_cast<uint32_t>(p_.in_ch);
    input.inside = columns_ + kColumn * p_.pad_left;
    input.columns = columns_;
    input.pairs = static_cast<uint32_t>(pairs);
    input.tiles = tiles_;
    constexpr int32_t kRows[6] = {3, 4, 0, 2, 5, 1};
    for (int32_t i = 0; i < 6; ++i) {
      const int32_t row = y + kRows[i];
      const bool inside = row >= 0 && row < p_.in_h;
      input.rows[i] = inside ? image + row * p_.in_w * p_.in_ch : outside_;
    }
    for (int32_t c = 0; c < p_.in_ch; c += 4, input.tiles += 8) {
      mcugen_dsp_winograd4_input(&input);
      for (const int8_t*& row : input.rows) {
        row += 4;
      }
    }
  }

  /// Computes a row of tiles.
  /// @param[in] rows Of it that the output has, at most 4.
  void write_outputs(int32_t rows, int8_t* out) const {
    const int32_t pairs = Layout::pairs(p_);
    const int32_t whole = rows == 4 ? p_.out_w / 8 : 0;
    const int32_t tile_halves = 72 * p_.in_ch;
    McugenDspWinograd4Products products;
    products.weights = weights_;
    products.in_ch = static_cast<uint32_t>(p_.in_ch);
    products.block = block_;
    for (int32_t i = 0; i < p_.out_ch; i += 2, products.weights += winograd4_words(p_.in_ch)) {
      int8_t* const channels = out + i;
      products.tiles = tiles_;
      products.tiles_end = tiles_ + whole * tile_halves;
      products.out = channels;
      products.pixel_step = p_.out_ch;
      products.row_bytes = p_.out_w * p_.out_ch;
      if (whole > 0) {
        mcugen_dsp_winograd4_products(&products);
      }
      products.out = part_;
      products.pixel_step = 2;
      products.row_bytes = 16;
      for (int32_t pair = whole; pair < pairs; ++pair) {
        products.tiles = products.tiles_end;
        products.tiles_end += tile_halves;
        mcugen_dsp_winograd4_products(&products);
        copy_part(rows, p_.out_w - 8 * pair, channels + 8 * pair * p_.out_ch);
      }
    }
  }

 private:
  void copy_part(int32_t rows, int32_t pixels, int8_t* out) const {
    const int8_t* from = part_;
    for (int32_t y = 0; y < rows; ++y, from += 16, out += p_.out_w * p_.out_ch) {
      int8_t* to = out;
      for (int32_t x = 0; x < 8 && x < pixels; ++x, to += p_.out_ch) {
        to[0] = from[2 * x];
        to[1] = from[2 * x + 1];
      }
    }
  }

  const Conv2dS8Params& p_;
  const int32_t* const weights_;
  uint8_t* const block_;
  int8_t* const part_;
  int16_t* const columns_;
  int16_t* const tiles_;
  int8_t* const outside_;
};

}  // namespace

uint32_t winograd4_s8_scratch(const Conv2dS8Params& p) { return Layout(p).bytes(); }

// Not inlined: its stack is not to be held while another form runs.
__attribute__((noinline)) bool winograd4_s8(const Conv2dS8Params& p, const int8_t* input,
                                            const int32_t* words, int8_t* output) {
  const Layout layout(p);
  if (!forms::kPackedWinograd4 || p.scratch.bytes < layout.bytes()) {
    return false;
  }
  const Convolution convolution(p, layout, words);
  const int32_t row_bytes = p.out_w * p.out_ch;
  int8_t* out = output;
  for (int32_t b = 0; b < p.batch; ++b, input += p.in_h * p.in_w * p.in_ch) {
    for (int32_t y = 0; y < p.out_h; y += 4) {
      const int32_t rows = p.out_h - y < 4 ? p.out_h - y : 4;
      convolution.write_tiles(input, y - p.pad_top);
      convolution.write_outputs(rows, out);
      out += rows * row_bytes;
    }
  }
  if (p.activation_min != INT8_MIN || p.activation_max != INT8_MAX) {
    clamp_s8_scalar(p.batch * p.out_h * row_bytes, output, static_cast<int8_t>(p.activation_min),
                    static_cast<int8_t>(p.activation_max), output);
  }
  return true;
}

}  // namespace mcugen
