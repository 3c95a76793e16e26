// SPDX-License-Identifier: BSD-3-Clause

#include <kernels/clamp_s8.h>
#include <kernels/forms.h>
#include <kernels/im2col_s8_dsp.h>
#include <kernels/loops_dsp.h>
#include <kernels/packed_conv_depthwise_s8.h>
#include <kernels/window.h>

namespace mcugen {
namespace {

constexpr int32_t kRowBytes = 64;
constexpr int32_t kMostRowBytes = 128;

/// One of the two axes of the image, as the planes see it.
struct Axis {
  int32_t between, out;  ///< Sizes: of the planes without their border, of the output.
  int32_t pad;           ///< Before the first pixel.
  int32_t step;          ///< Pixels from one to the next, of what is between.
  int32_t out_step;      ///< Bytes from one to the next, of the output.
};

/// Two channels of what is between at a time, as planes with a border.
class Planes {
 public:
  explicit Planes(const PackedConvDepthwiseS8Params& params)
      : params_(params),
        padded_(conv_runs(p_).padded),
        x_{p_.out_w, params.out_w, params.pad_left, 1, p_.out_ch},
        y_{p_.out_h, params.out_h, params.pad_top, p_.out_w, params.out_w * p_.out_ch} {
    if (params.turned) {
      const Axis x = x_;
      x_ = y_;
      y_ = x;
    }
    row_bytes_ = columns() > kRowBytes / 2 ? kMostRowBytes : kRowBytes;
  }

  bool fits() const {
    return columns() <= kMostRowBytes / 2 && x_.between >= 2 && x_.out >= 2 &&
           (x_.between % 2 == 0 || padded_ % 8 == 0);
  }

  /// @returns the bytes of a band of so many rows of the output.
  uint32_t bytes(int32_t rows) const {
    rows = rows < y_.out ? rows : y_.out;
    const int32_t of_planes = (rows - 1) * params_.stride + 3;
    const int32_t of_pixels = of_planes < y_.between ? of_planes : y_.between;
    const int32_t pairs = of_pixels * (x_.between / 2) + (of_pixels + 1) / 2 * (x_.between % 2);
    return static_cast<uint32_t>(2 * of_planes * row_bytes_ + 2 * padded_ + 8 +
                                 pairs * 4 * padded_);
  }

  /// Cuts the image into bands of about the same height. @returns whether there is room for any.
  bool cut() {
    band_h_ = y_.out;
    while (band_h_ > 0 && bytes(band_h_) > p_.scratch.bytes) {
      --band_h_;
    }
    if (band_h_ > 0) {
      const int32_t bands = (y_.out + band_h_ - 1) / band_h_;
      band_h_ = (y_.out + bands - 1) / bands;
    }
    return band_h_ > 0;
  }

  void run(const int8_t* input, const int32_t* words, int8_t* output) {
    // Of turned rows windows at the edges are dear: they are written one by one.
    const bool is_dear =
        forms::kBorder && params_.turned && p_.kernel_h * p_.kernel_w != 1 && band_h_ == y_.out;
    const uint32_t border = is_dear ? border_s8_bytes(p_) : 0;
    if (border != 0 && p_.scratch.bytes >= border + bytes(band_h_)) {
      input = write_border_s8(p_, input);
    }
    for (int32_t b = 0; b < p_.batch; ++b) {
      for (int32_t y = 0; y < y_.out; y += band_h_) {
        finish(begin(input, y), words, output);
      }
      input += p_.in_h * p_.in_w * p_.in_ch;
      output += params_.out_h * params_.out_w * p_.out_ch;
    }
  }

 private:
  /// Elements of a row of a plane.
  int32_t columns() const {
    const int32_t read = params_.stride * x_.out + 4 - params_.stride;
    // Behind a pixel that makes no pair is one that has to stay empty.
    const int32_t written = x_.pad + x_.between + x_.between % 2;
    return read > written ? read : written;
  }

  /// Some rows of the output, and what is between and belongs to them.
  struct Band {
    int32_t out_y, out_h;
    int32_t first, rows;  ///< Of the planes, what lies inside of the image.
    int32_t plane_bytes;
    const int16_t* pixels;
  };

  /// Empties the planes and writes the windows. Not inline, as neither is what is behind it: one
  /// does not need the other's stack.
  __attribute__((noinline)) Band begin(const int8_t* input, int32_t out_y) const {
    const int32_t out_h = y_.out - out_y < band_h_ ? y_.out - out_y : band_h_;
    const int32_t rows = (out_h - 1) * params_.stride + 3;
    const int32_t y = out_y * params_.stride - y_.pad;
    const TapRange ys = valid_taps(y, y_.between, rows, 1);
    const int32_t plane_bytes = rows * row_bytes_;
    uint32_t* word = reinterpret_cast<uint32_t*>(p_.scratch.data);
    for (uint32_t* const end = word + 2 * plane_bytes / 4; word != end; word += 8) {
      word[0] = word[1] = word[2] = word[3] = word[4] = word[5] = word[6] = word[7] = 0;
    }
    int8_t* const bytes = reinterpret_cast<int8_t*>(word);
    int16_t* const pixels = reinterpret_cast<int16_t*>(bytes + 2 * padded_ + 8);
    const int32_t of_pixels = ys.end - ys.begin;
    const int32_t even = x_.between & ~1;
    const int32_t first = (y + ys.begin) * y_.step;
    write_windows_s8(p_, input, first, x_.step, even, y_.step, of_pixels, bytes, pixels);
    if (even != x_.between) {
      write_windows_s8(p_, input, first + even * x_.step, y_.step, of_pixels, 0, 1, bytes,
                       pixels + of_pixels * even * padded_);
    }
    return {out_y, out_h, ys.begin, of_pixels, plane_bytes, pixels};
  }

  __attribute__((noinline)) void finish(const Band& band, const int32_t* words,
                                        int8_t* output) const {
    const int32_t stride = params_.stride;
    const int32_t pairs = x_.between / 2;
    const int32_t row_pixels = pairs * 2 * padded_;
    const int16_t* const pixels = band.pixels;
    int16_t* const planes = reinterpret_cast<int16_t*>(p_.scratch.data);
    McugenDspConvDepthwise both;
    both.pixels = pixels;
    both.stream = words;
    both.stream_bytes = 4 * packed_conv_depthwise_words(padded_);
    both.stream_end = words + p_.out_ch / 2 * packed_conv_depthwise_words(padded_);
    both.plane = planes + band.first * row_bytes_ / 2 + x_.pad - 1;
    both.pixels_end = pixels + row_pixels;
    both.pixels_last = pixels + band.rows * row_pixels;
    both.row_pixels = 2 * row_pixels;
    both.pair_bytes = 4 * padded_;
    both.fours = static_cast<uint32_t>(padded_ / 4 - 1);
    both.first_of_second = band.plane_bytes + 2;
    both.second_of_second = band.plane_bytes + 4;
    both.plane_bytes = band.plane_bytes;
    both.row_bytes = row_bytes_;
    both.plane_skip = row_bytes_ - 4 * pairs;
    both.odd_rows = x_.between % 2 * band.rows;
    both.last_column = both.plane + 2 * pairs;

    // A loop takes some pairs at a time; in its first turn it leaves out what they are more.
    const int32_t out_pairs = x_.out / 2;
    const int32_t left_out = stride == 1 ? (out_pairs + 2) / 3 * 3 - out_pairs : out_pairs & 1;
    const int32_t before = stride == 1 ? 4 * left_out : 0;
    const int32_t pair_bytes = out_pairs * 4 * stride + before;
    both.windows = planes - before / 2;
    both.windows_end = both.windows + pair_bytes / 2;
    both.windows_last = both.windows_end + (band.out_h - 1) * stride * row_bytes_ / 2;
    both.windows_skip = stride * row_bytes_ - pair_bytes;
    both.out = output + band.out_y * y_.out_step;
    both.out_step = x_.out_step;
    both.out_skip = y_.out_step - x_.out * x_.out_step;
    const uint32_t form = (stride == 1 ? kMcugenDspDepthwise1Of64 : kMcugenDspDepthwise2Of64) +
                          (row_bytes_ == kRowBytes ? 0u : 1u);
    both.form = mcugen_dsp_depthwise_form(form, left_out, x_.out % 2);
    mcugen_dsp_conv_depthwise(&both);
  }

  PackedConvDepthwiseS8Params params_;
  Conv2dS8Params& p_ = params_.conv;
  const int32_t padded_;
  Axis x_;  ///< Along the rows of a plane.
  Axis y_;
  int32_t row_bytes_;
  int32_t band_h_ = 0;
};

}  // namespace

uint32_t packed_conv_depthwise_s8_scratch(const PackedConvDepthwiseS8Params& params, int32_t rows) {
  const Planes planes(params);
  return planes.fits() ? planes.bytes(rows) : 0;
}

void packed_conv_depthwise_s8_dsp(const PackedConvDepthwiseS8Params& params, const int8_t* input,
                                  const int32_t* words, int8_t* output) {
  const Conv2dS8Params& p = params.conv;
  Planes planes(params);
  if (kMcugenDspSmall || !forms::kConvDepthwise || !planes.fits() || !planes.cut()) {
    packed_conv_depthwise_s8_scalar(params, input, words, output);
    return;
  }
  planes.run(input, words, output);
  if (p.activation_min != INT8_MIN || p.activation_max != INT8_MAX) {
    clamp_s8_scalar(p.batch * params.out_h * params.out_w * p.out_ch, output,
                    static_cast<int8_t>(p.activation_min), static_cast<int8_t>(p.activation_max),
                    output);
  }
}

}  // namespace mcugen
