// SPDX-License-Identifier: BSD-3-Clause

#if !defined(__ARM_FEATURE_MVE)
#error "conv2d_s8_mve.cpp needs a core with Helium"
#endif

#pragma GCC optimize("O2")

#include <arm_mve.h>
#include <kernels/conv2d_s8.h>
#include <kernels/conv2d_s8_mve_plan.h>
#include <kernels/conv_mve.h>
#include <kernels/forms.h>
#include <kernels/window.h>

#include <utility>

namespace mcugen {
namespace {

class Conv {
 public:
  Conv(const Conv2dS8Params& params, const MveConvWeights& weights, bool transposed,
       const int32_t* bias)
      : p_(params), plan_(params, transposed), weights_(weights), bias_(bias) {
    dot_.neighbours = forms::kNeighbours ? mve_neighbours : nullptr;
    dot_.chunks = plan_.chunks;
    dot_.lead = plan_.lead;
    dot_.kernel_rows = plan_.kernel_rows;
    dot_.out_pixel = p_.out_ch;
    dot_.out_row = p_.out_w * p_.out_ch;
    dot_.output_zero_point = p_.output_zero_point;
    dot_.activation_min = p_.activation_min;
    dot_.activation_max = p_.activation_max;
    dot_.rounding = rounding_mve(p_.output_zero_point, p_.activation_min, p_.activation_max);
    dot_.channels = plan_.out_ch;
    dot_.depth = weights_.channel;
    dot_.run = plan_.run;
    dot_.input_zero_point = p_.input_zero_point;
    dot_.packed = reinterpret_cast<int8_t*>(p_.scratch.data);
    dot_.sums = dot_.packed + plan_.packed_bytes();
  }

  bool possible() const {
    return plan_.possible && p_.scratch.bytes >= plan_.scratch_bytes(1) &&
           shifts_right_mve(p_.shifts, p_.out_ch);
  }

  void run(const int8_t* input, int8_t* output) {
    switch (plan_.source) {
      case MveConvPlan::Source::kInput:
        from_input(input, output);
        break;
      case MveConvPlan::Source::kStrip:
        from_strip(input, output);
        break;
      case MveConvPlan::Source::kBands:
        from_bands(input, output);
        break;
      case MveConvPlan::Source::kColumns:
        from_columns(input, output);
        break;
    }
  }

 private:
  void from_input(const int8_t* input, int8_t* output);
  void from_strip(const int8_t* input, int8_t* output);
  void from_bands(const int8_t* input, int8_t* output);
  void from_columns(const int8_t* input, int8_t* output);

  /// @returns so many bytes at the end of the scratch; sums take what is before them.
  int8_t* window(int32_t bytes);

  /// Computes what `dot_` describes for the channels of a group.
  void dot(int32_t group, int8_t* output);
  void turn();

  void permute_weights();
  void copy_band(const int8_t* input, int32_t out_y, int8_t* to) const;
  void copy_row(const int8_t* input, int32_t y, int8_t* to) const;
  void gather(const int8_t* input, int32_t group, int32_t out_y, int32_t out_x, int8_t* to) const;

  const Conv2dS8Params& p_;
  const MveConvPlan plan_;
  MveConvWeights weights_;
  const int32_t* const bias_;
  uint8_t band_offsets_[16];  // of bytes in the order of the input
  MveDot dot_;
};

int8_t* Conv::window(int32_t bytes) {
  const int32_t before = static_cast<int32_t>(dot_.sums - dot_.packed) + bytes;
  dot_.block = (static_cast<int32_t>(p_.scratch.bytes) - before) / 16 - 1;
  return dot_.sums + MveConvPlan::sums_bytes(dot_.block);
}

void Conv::dot(int32_t group, int8_t* output) {
  const int32_t first = group * plan_.out_ch;
  dot_.output = output + first;
  dot_.weights = weights_.data + first * weights_.channel;
  dot_.bias = bias_ != nullptr ? bias_ + first : nullptr;
  dot_.multipliers = p_.multipliers + first;
  dot_.shifts = p_.shifts + first;
  const int32_t in_pixel = dot_.in_pixel;
  const bool turned = dot_.pixels == 1 && dot_.rows != 1;
  if (turned) {
    turn();
  } else if (dot_.pixels == 1) {
    dot_.in_pixel = 0;
  }
  dot_.apart = dot_.out_row != dot_.pixels * dot_.out_pixel;
  mve_dot(&dot_);
  if (turned) {
    turn();
  }
  dot_.in_pixel = in_pixel;
}

/// Makes columns of what are rows of pixels.
void Conv::turn() {
  std::swap(dot_.rows, dot_.pixels);
  std::swap(dot_.in_pixel, dot_.in_row);
  std::swap(dot_.out_pixel, dot_.out_row);
}

/// The window's taps are where the input has them.
void Conv::from_input(const int8_t* input, int8_t* output) {
  dot_.kernel_row = p_.dilation_h * p_.in_w * p_.in_ch;
  dot_.in_pixel = p_.stride_w * p_.in_ch;
  dot_.in_row = p_.stride_h * p_.in_w * p_.in_ch;
  dot_.rows = p_.out_h;
  dot_.pixels = p_.out_w;
  window(0);
  int32_t images = p_.batch;
  if (plan_.one_run) {
    dot_.rows = 1;
    dot_.pixels = images * p_.out_h * p_.out_w;
    images = 1;
  }
  for (int32_t b = 0; b < images; ++b) {
    for (int32_t g = 0; g < p_.groups; ++g) {
      dot_.in = input + g * plan_.in_ch;
      dot(g, output);
    }
    input += p_.in_h * p_.in_w * p_.in_ch;
    output += p_.out_h * p_.out_w * p_.out_ch;
  }
}

/// Row `y` of the input, with what lies left and right of it, to the strip.
void Conv::copy_row(const int8_t* input, int32_t y, int8_t* to) const {
  const int32_t zero = p_.input_zero_point;
  const int32_t width = plan_.strip_w;
  if (y < 0 || y >= p_.in_h) {
    mve_fill(to, width * p_.in_ch, zero);
    return;
  }
  const int32_t left = p_.pad_left < width ? p_.pad_left : width;
  const int32_t inside = width - left < p_.in_w ? width - left : p_.in_w;
  mve_fill(to, left * p_.in_ch, zero);
  mve_copy(to + left * p_.in_ch, input + y * p_.in_w * p_.in_ch, inside * p_.in_ch);
  mve_fill(to + (left + inside) * p_.in_ch, (width - left - inside) * p_.in_ch, zero);
}

/// Rows of the input are copied with their padding, for as many rows of the output as there is
/// room: in the scratch, or in what of the output is still to come.
void Conv::from_strip(const int8_t* input, int8_t* output) {
  const int32_t row_bytes = plan_.strip_w * p_.in_ch;
  const int32_t in_scratch = plan_.rows_in(p_.scratch.bytes);
  dot_.kernel_row = p_.dilation_h * row_bytes;
  dot_.in_pixel = p_.stride_w * p_.in_ch;
  dot_.in_row = p_.stride_h * row_bytes;
  dot_.pixels = p_.out_w;
  for (int32_t b = 0; b < p_.batch; ++b) {
    for (int32_t out_y = 0; out_y < p_.out_h; out_y += dot_.rows) {
      const int32_t left = p_.out_h - out_y;
      const int32_t in_output = plan_.rows_before(left);
      const bool ahead = in_output > in_scratch && in_scratch < left;
      const int32_t at_once = ahead ? in_output : in_scratch;
      dot_.rows = left < at_once ? left : at_once;
      const int32_t rows = plan_.strip_rows(dot_.rows);
      int8_t* const in_window = window(ahead ? 0 : rows * row_bytes + 16);
      int8_t* const strip = ahead ? output + dot_.rows * dot_.out_row : in_window;
      for (int32_t i = 0; i < rows; ++i) {
        copy_row(input, out_y * p_.stride_h - p_.pad_top + i, strip + i * row_bytes);
      }
      dot_.in = strip;
      dot(0, output);
      output += dot_.rows * dot_.out_row;
    }
    input += p_.in_h * p_.in_w * p_.in_ch;
  }
}

/// Brings the weights from [row, column, input channel] to [column, row, input channel].
void Conv::permute_weights() {
  int8_t* to = dot_.sums;
  uint16_t* const offsets =
      reinterpret_cast<uint16_t*>(to + ((plan_.out_ch * plan_.depth + 1) & ~1));
  uint16_t* next = offsets;
  for (int32_t x = 0; x < p_.kernel_w; ++x) {
    for (int32_t y = 0; y < p_.kernel_h; ++y) {
      for (int32_t c = 0; c < plan_.in_ch; ++c) {
        *next++ = static_cast<uint16_t>(y * weights_.row + x * weights_.column + c);
      }
    }
  }
  for (int32_t o = 0; o < plan_.out_ch; ++o, to += plan_.depth) {
    const int8_t* const from = weights_.data + o * weights_.channel;
    for (int32_t t = 0; t < plan_.depth; t += 8) {
      const mve_pred16_t some = vctp16q(static_cast<uint32_t>(plan_.depth - t));
      const uint16x8_t at = vldrhq_z_u16(offsets + t, some);
      vstrbq_p_s16(to + t, vldrbq_gather_offset_z_s16(from, at, some), some);
    }
  }
  dot_.depth = plan_.depth;
  weights_ = {dot_.sums, plan_.depth, 0, 0};
  dot_.sums += plan_.permuted_bytes();
}

/// The rows of the input that row `out_y` of the output sees: [column, row, input channel].
void Conv::copy_band(const int8_t* input, int32_t out_y, int8_t* to) const {
  const int32_t in_ch = p_.in_ch;
  const int32_t step = p_.kernel_h * in_ch;
  const int32_t width = plan_.strip_w;
  const int32_t left = p_.pad_left < width ? p_.pad_left : width;
  const int32_t inside = width - left < p_.in_w ? width - left : p_.in_w;
  mve_fill(to, plan_.band_row, p_.input_zero_point);
  const int32_t pixels = plan_.band_pixels;
  for (int32_t ky = 0; ky < p_.kernel_h; ++ky) {
    const int32_t y = out_y * p_.stride_h - p_.pad_top + ky * p_.dilation_h;
    if (y >= 0 && y < p_.in_h) {
      mve_scatter(to + left * step + ky * in_ch, input + y * p_.in_w * in_ch, inside * in_ch,
                  band_offsets_, pixels * step, pixels * in_ch);
    }
  }
}

void Conv::from_bands(const int8_t* input, int8_t* output) {
  const int32_t room = plan_.rows_in(p_.scratch.bytes);
  const int32_t at_once = room < p_.out_h ? room : p_.out_h;
  permute_weights();
  int8_t* const bands = window(at_once * plan_.band_row);
  for (int32_t i = 0; i < 16; ++i) {
    const int32_t pixel = i / p_.in_ch;
    band_offsets_[i] = static_cast<uint8_t>(pixel * p_.kernel_h * p_.in_ch + i % p_.in_ch);
  }
  dot_.kernel_row = 0;
  dot_.in_pixel = p_.stride_w * p_.kernel_h * p_.in_ch;
  dot_.in_row = plan_.band_row;
  dot_.in = bands;
  dot_.pixels = p_.out_w;
  // Pixels go in pairs: where rows are odd and short, down is faster than across.
  const bool down = p_.out_w % 2 != 0 && p_.out_w < at_once && dot_.out_row <= plan_.kMaxChannels;
  if (down) {
    turn();
    dot_.rows = p_.out_w;
  }
  for (int32_t b = 0; b < p_.batch; ++b) {
    for (int32_t out_y = 0; out_y < p_.out_h; out_y += at_once) {
      const int32_t left = p_.out_h - out_y;
      const int32_t rows = left < at_once ? left : at_once;
      (down ? dot_.pixels : dot_.rows) = rows;
      for (int32_t i = 0; i < rows; ++i) {
        copy_band(input, out_y + i, bands + i * plan_.band_row);
      }
      dot(0, output);
      output += rows * p_.out_w * p_.out_ch;
    }
    input += p_.in_h * p_.in_w * p_.in_ch;
  }
}

/// The window of one output pixel, as the weights have it.
void Conv::gather(const int8_t* input, int32_t group, int32_t out_y, int32_t out_x,
                  int8_t* to) const {
  const int32_t y = out_y * p_.stride_h - p_.pad_top;
  const int32_t x = out_x * p_.stride_w - p_.pad_left;
  const TapRange ys = valid_taps(y, p_.in_h, p_.kernel_h, p_.dilation_h);
  const TapRange xs = valid_taps(x, p_.in_w, p_.kernel_w, p_.dilation_w);
  const int32_t taps = xs.end - xs.begin;
  if (taps != p_.kernel_w || ys.end - ys.begin != p_.kernel_h) {
    mve_fill(to, plan_.depth, p_.input_zero_point);
  }
  if (taps == 0) {
    return;
  }
  const bool together = p_.groups == 1 && p_.dilation_w == 1;
  const int32_t run = together ? taps * plan_.in_ch : plan_.in_ch;
  const int8_t* const from =
      input + (x + xs.begin * p_.dilation_w) * p_.in_ch + group * plan_.in_ch;
  const int32_t row_step = p_.dilation_h * p_.in_w * p_.in_ch;
  const int8_t* in_row = from + (y + ys.begin * p_.dilation_h) * p_.in_w * p_.in_ch;
  int8_t* to_row = to + (ys.begin * p_.kernel_w + xs.begin) * plan_.in_ch;
  if (together && run <= 16) {
    const mve_pred16_t taken = vctp8q(static_cast<uint32_t>(run));
    for (int32_t left = ys.end - ys.begin; left > 0; --left) {
      vstrbq_p_s8(to_row, vldrbq_z_s8(in_row, taken), taken);
      in_row += row_step;
      to_row += plan_.kernel_run;
    }
    return;
  }
  for (int32_t left_rows = ys.end - ys.begin; left_rows > 0; --left_rows) {
    const int8_t* in = in_row;
    int8_t* tap = to_row;
    for (int32_t left = together ? 1 : taps; left > 0; --left) {
      mve_copy(tap, in, run);
      in += p_.dilation_w * p_.in_ch;
      tap += plan_.in_ch;
    }
    in_row += row_step;
    to_row += plan_.kernel_run;
  }
}

void Conv::from_columns(const int8_t* input, int8_t* output) {
  const int32_t all = p_.out_h * p_.out_w;
  const int32_t room = plan_.columns_in(p_.scratch.bytes);
  const int32_t block = room < all ? room : all;
  int8_t* const columns = window(block * plan_.depth);
  dot_.kernel_row = 0;
  dot_.in_pixel = plan_.depth;
  dot_.in_row = 0;
  dot_.in = columns;
  dot_.rows = 1;
  for (int32_t b = 0; b < p_.batch; ++b, input += p_.in_h * p_.in_w * p_.in_ch) {
    int32_t next_y = 0;
    int32_t next_x = 0;
    for (int32_t left = all; left > 0; left -= dot_.pixels) {
      dot_.pixels = left < block ? left : block;
      const int32_t first_y = next_y;
      const int32_t first_x = next_x;
      for (int32_t g = 0; g < p_.groups; ++g) {
        next_y = first_y;
        next_x = first_x;
        for (int32_t i = 0; i < dot_.pixels; ++i) {
          gather(input, g, next_y, next_x, columns + i * plan_.depth);
          if (++next_x == p_.out_w) {
            next_x = 0;
            ++next_y;
          }
        }
        dot(g, output);
      }
      output += dot_.pixels * p_.out_ch;
    }
  }
}

}  // namespace

bool conv2d_s8_transposed_mve(const Conv2dS8Params& p, const int8_t* input, const int8_t* weights,
                              const int32_t* bias, int8_t* output) {
  Conv conv(p, {weights, 1, p.kernel_w * p.out_ch, p.out_ch}, true, bias);
  if (!conv.possible()) {
    return false;
  }
  conv.run(input, output);
  return true;
}

void conv2d_s8_mve(const Conv2dS8Params& p, const int8_t* input, const int8_t* weights,
                   const int32_t* bias, int8_t* output) {
  const int32_t in_ch = p.in_ch / p.groups;
  const int32_t row = p.kernel_w * in_ch;
  Conv conv(p, {weights, p.kernel_h * row, row, in_ch}, false, bias);
  // Pixels are read once for every four channels: not where the output lies over them.
  const bool in_place = overlap(input, p.batch * p.in_h * p.in_w * p.in_ch, output,
                                p.batch * p.out_h * p.out_w * p.out_ch);
  if (conv.possible() && !in_place) {
    conv.run(input, output);
  } else {
    conv2d_s8_scalar(p, input, weights, bias, output);
  }
}

}  // namespace mcugen
