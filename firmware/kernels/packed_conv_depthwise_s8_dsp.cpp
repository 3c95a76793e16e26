// SPDX-License-Identifier: BSD-3-Clause

#pragma GCC optimize("O2")

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
        p_(params.conv),
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
    return static_cast<uint32_t>(2 * of_planes * row_bytes_ + 2 * padded_ + 8 +
                                 of_pixels * ((x_.between + 1) / 2) * 4 * padded_);
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

  void run(const int8_t* input, const int32_t* words, int8_t* output) const {
    for (int32_t b = 0; b < p_.batch; ++b) {
      for (int32_t y = 0; y < y_.out; y += band_h_) {
        band(input, words, output, y);
      }
      input += p_.in_h * p_.in_w * p_.in_ch;
      output += params_.out_h * params_.out_w * p_.out_ch;
    }
  }

 private:
  /// Elements of a row of a plane.
  int32_t columns() const {
    const int32_t read = params_.stride * x_.out + 4 - params_.stride;
    const int32_t written = x_.pad + x_.between;
    return read > written ? read : written;
  }

  void band(const int8_t* input, const int32_t* words, int8_t* output, int32_t out_y) const {
    const int32_t stride = params_.stride;
    const int32_t out_h = y_.out - out_y < band_h_ ? y_.out - out_y : band_h_;
    const int32_t rows = (out_h - 1) * stride + 3;
    const int32_t y = out_y * stride - y_.pad;
    const TapRange ys = valid_taps(y, y_.between, rows, 1);
    const int32_t plane_bytes = rows * row_bytes_;
    int16_t* const planes = reinterpret_cast<int16_t*>(p_.scratch.data);
    uint32_t* word = reinterpret_cast<uint32_t*>(planes);
    for (uint32_t* const end = word + 2 * plane_bytes / 4; word != end; word += 8) {
      word[0] = word[1] = word[2] = word[3] = word[4] = word[5] = word[6] = word[7] = 0;
    }
    int8_t* const bytes = reinterpret_cast<int8_t*>(word);
    int16_t* const pixels = reinterpret_cast<int16_t*>(bytes + 2 * padded_ + 8);
    write_windows_s8(p_, input, (y + ys.begin) * y_.step, x_.step, x_.between, y_.step,
                     ys.end - ys.begin, bytes, pixels);

    const int32_t pairs = x_.between / 2;
    McugenDspPlaneTiles tiles;
    tiles.pixels = pixels;
    tiles.stream = words;
    tiles.plane = planes + ys.begin * row_bytes_ / 2 + x_.pad - 1;
    tiles.plane_skip = row_bytes_ - 2 * x_.between;
    tiles.plane_bytes = plane_bytes;
    tiles.pair_bytes = pairs * 4 * padded_;
    tiles.pixels_end = pixels + tiles.pair_bytes / 2;
    tiles.fours = static_cast<uint32_t>(padded_ / 4 - 1);
    tiles.odd = static_cast<uint32_t>(x_.between % 2);
    tiles.rows = static_cast<uint32_t>(ys.end - ys.begin);

    // A loop takes some pairs at a time; in its first turn it leaves out what they are more.
    const int32_t out_pairs = x_.out / 2;
    const int32_t left_out = stride == 1 ? (out_pairs + 2) / 3 * 3 - out_pairs : out_pairs & 1;
    const int32_t before = stride == 1 ? 4 * left_out : 0;
    McugenDspDepthwise loop;
    loop.plane_bytes = plane_bytes;
    loop.out_step = x_.out_step;
    loop.pair_bytes = out_pairs * 4 * stride + before;
    loop.odd = x_.out % 2;
    loop.plane_skip = stride * row_bytes_ - loop.pair_bytes;
    loop.out_skip = y_.out_step - x_.out * x_.out_step;
    const uint32_t form = (stride == 1 ? kMcugenDspDepthwise1Of64 : kMcugenDspDepthwise2Of64) +
                          (row_bytes_ == kRowBytes ? 0u : 1u);
    loop.form = 3 * form + static_cast<uint32_t>(left_out);
    const int16_t* const plane = planes - before / 2;
    const int16_t* const plane_end = plane + out_h * stride * row_bytes_ / 2;
    int8_t* out = output + out_y * y_.out_step;
    for (int32_t left = p_.out_ch; left > 0; left -= 2, out += 2) {
      mcugen_dsp_plane_tiles(&tiles);
      loop.plane = plane;
      loop.plane_end = plane_end;
      loop.out = out;
      loop.weights = reinterpret_cast<const uint32_t*>(tiles.stream + 6 + padded_);
      loop.channels = 2;
      mcugen_dsp_depthwise_packed(&loop);
      tiles.stream += packed_conv_depthwise_words(padded_);
    }
  }

  const PackedConvDepthwiseS8Params& params_;
  const Conv2dS8Params& p_;
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
