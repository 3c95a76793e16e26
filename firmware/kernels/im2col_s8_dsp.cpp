// SPDX-License-Identifier: BSD-3-Clause

#if !defined(MCUGEN_SMALL_KERNELS)
#pragma GCC optimize("O2")
#endif

#include <kernels/clamp_s8.h>
#include <kernels/conv_runs.h>
#include <kernels/conv_windows.h>
#include <kernels/forms.h>
#include <kernels/im2col_s8_dsp.h>
#include <kernels/loops_dsp.h>
#include <kernels/loops_four_dsp.h>

#include <cstring>

namespace mcugen {
namespace {

/// Largest share of the scratch that a copy of the image with its border may take: 1 / kShare.
constexpr int32_t kShare = 3;

/// Copies `count` bytes a word at a time, at any address.
inline int8_t* copy_run(const int8_t* from, int32_t count, int8_t* to) {
  for (; count >= 4; count -= 4, from += 4, to += 4) {
    uint32_t word;
    memcpy(&word, from, sizeof word);
    memcpy(to, &word, sizeof word);
  }
  for (; count > 0; --count) {
    *to++ = *from++;
  }
  return to;
}

/// Elements from the pixels of a pair to those of the pair beside it.
constexpr int32_t kBeside = 4;

/// The windows of a convolution, as McugenDspTiles wants them.
class Windows : ConvWindows {
 public:
  Windows(const Conv2dS8Params& p, const int8_t* input)
      : ConvWindows(p, input),
        input_end_(input + p.batch * p.in_h * p.in_w * p.in_ch),
        runs_(conv_runs(p)),
        padded_(runs_.padded),
        filled_(runs_.runs == p.kernel_h ? padded_run(run_bytes_) - run_bytes_ : 0),
        minus_zero_point_(0x10001u * static_cast<uint16_t>(-p.input_zero_point)) {}

  /// Writes `count` windows from `pixel` on; of an odd count the last is paired with the one
  /// before, or with itself.
  /// @param[in] bytes 2 * padded bytes and 4 more, to be written over.
  void write(int32_t group, int32_t pixel, int32_t count, int8_t* bytes, int16_t* out) {
    if (are_pixels()) {
      const int8_t* const in = input_ + pixel * p_.in_ch;
      if (count >= 2) {
        out = mcugen_dsp_widen(in, in + p_.in_ch, out, static_cast<uint32_t>(p_.in_ch),
                               minus_zero_point_, count / 2, p_.in_ch);
      }
      if (count % 2 != 0) {
        const int8_t* const last = in + (count - 1) * p_.in_ch;
        mcugen_dsp_widen(count >= 2 ? last - p_.in_ch : last, last, out,
                         static_cast<uint32_t>(p_.in_ch), minus_zero_point_, 1, 0);
      }
      return;
    }
    out = write_pairs(group, pixel, count / 2, bytes, out);
    if (count % 2 != 0) {
      go_to(group, pixel + count - (count >= 2 ? 2 : 1));
      const Window first = next();
      write_pair(first, count >= 2 ? next() : first, bytes, out);
    }
  }

  /// The same as gemm_s8_run() wants them.
  void write_all(int32_t group, int32_t pixel, int32_t count, int8_t* bytes, int16_t* out) {
    const int32_t fours = gemm_s8_fours(count);
    if (!forms::kFourPixels || fours == 0) {
      write(group, pixel, count, bytes, out);
      return;
    }
    if (are_pixels()) {
      const int8_t* in = input_ + pixel * p_.in_ch;
      for (int32_t i = 0; i < 2; ++i, in += 2 * p_.in_ch) {
        mcugen_dsp_widen_beside(in, in + p_.in_ch, out + i * kBeside,
                                static_cast<uint32_t>(p_.in_ch), minus_zero_point_, fours,
                                3 * p_.in_ch);
      }
    } else {
      beside_ = 2 * fours;
      write_pairs(group, pixel, 2 * fours, bytes, out);
    }
    const int32_t behind = gemm_s8_pairs_behind(count);
    if (behind != 0) {
      write(group, pixel + count - behind, behind, bytes, out + 4 * fours * padded_);
    }
  }

  /// Writes `count` windows, `step` pixels apart; of an odd count the last is the second of a pair.
  /// @returns the end of what was written.
  int16_t* write_apart(int32_t pixel, int32_t step, int32_t count, int8_t* bytes, int16_t* out) {
    if (are_pixels()) {
      const int8_t* const in = input_ + pixel * p_.in_ch;
      const int32_t apart = step * p_.in_ch;
      const uint32_t run = static_cast<uint32_t>(p_.in_ch);
      if (count >= 2) {
        out = mcugen_dsp_widen(in, in + apart, out, run, minus_zero_point_, count / 2,
                               2 * apart - p_.in_ch);
      }
      if (count % 2 != 0) {
        const int8_t* const last = in + (count - 1) * apart;
        out = mcugen_dsp_widen(last, last, out, run, minus_zero_point_, 1, 0);
      }
      return out;
    }
    const int32_t run = run_bytes_ + filled_;
    if (step % p_.out_w == 0 && run % 4 == 0) {
      go_to(0, pixel);
      const int32_t down = step / p_.out_w * p_.stride_h;
      const Window last{at_.image, at_.y + (count - 1) * down, at_.x};
      const int32_t row_step = p_.dilation_h * row_bytes_;
      if (is_inside(at_) && is_inside(last) &&
          position(last) + (p_.kernel_h - 1) * row_step + run <= input_end_) {
        const int32_t apart = down * row_bytes_;
        const int8_t* from = position(at_);
        for (int32_t left = count; left > 0; left -= 2, from += 2 * apart) {
          out = mcugen_dsp_widen(from, left == 1 ? from : from + apart, out,
                                 static_cast<uint32_t>(run), minus_zero_point_, p_.kernel_h,
                                 row_step - run);
        }
        return out;
      }
    }
    for (int32_t i = 0; i < count; i += 2) {
      go_to(0, pixel + i * step);
      const Window first = next();
      go_to(0, pixel + (i + 1 == count ? i : i + 1) * step);
      out = write_pair(first, next(), bytes, out);
    }
    return out;
  }

 private:
  int16_t* write_pairs(int32_t group, int32_t pixel, int32_t pairs, int8_t* bytes, int16_t* out) {
    go_to(group, pixel);
    while (pairs > 0) {
      const int32_t inside = pairs_inside(2 * pairs);
      if (inside != 0) {
        out = write_inside(inside, out);
        pairs -= inside;
      } else {
        const Window first = next();
        out = write_pair(first, next(), bytes, out);
        --pairs;
      }
    }
    return out;
  }

  /// @returns how many pairs from here on lie in this row of the output and inside of the image, as
  ///     runs that can be widened where they are.
  int32_t pairs_inside(int32_t count) const {
    const int32_t run = run_bytes_ + filled_;
    if ((run % 4 != 0 && !runs_.nine) || !is_inside(at_)) {
      return 0;
    }
    int32_t pixels = (last_x_ - at_.x) / p_.stride_w + 1;
    pixels = pixels < p_.out_w - out_x_ ? pixels : p_.out_w - out_x_;
    pixels = pixels < count ? pixels : count;
    const int8_t* const last = position(at_) + (pixels - 1) * p_.stride_w * p_.in_ch;
    const int32_t rows = (p_.kernel_h - 1) * p_.dilation_h * row_bytes_;
    return last + rows + run <= input_end_ ? pixels / 2 : 0;
  }

  /// Widens a window's runs of two pixels, or of several pairs side by side.
  /// @returns where the next pair goes.
  int16_t* widen(const int8_t* run0, const int8_t* run1, int16_t* out, int32_t bytes, int32_t runs,
                 int32_t skip) {
    const uint32_t run = static_cast<uint32_t>(bytes);
    if (forms::kFourPixels && beside_ != 0) {
      mcugen_dsp_widen_beside(run0, run1, out, run, minus_zero_point_, runs, skip);
      return behind(out);
    }
    return mcugen_dsp_widen(run0, run1, out, run, minus_zero_point_, runs, skip);
  }

  /// The same of three rows of nine taps.
  int16_t* widen_nine(const int8_t* window0, const int8_t* window1, int16_t* out, int32_t row_step,
                      int32_t pairs, int32_t pair_step) {
    if (forms::kFourPixels && beside_ != 0) {
      for (; pairs > 0; --pairs, window0 += pair_step, window1 += pair_step) {
        mcugen_dsp_widen_nine_beside(window0, window1, out, row_step, minus_zero_point_, 1, 0);
        out = behind(out);
      }
      return out;
    }
    return mcugen_dsp_widen_nine(window0, window1, out, row_step, minus_zero_point_, pairs,
                                 pair_step);
  }

  /// @returns where the next pair goes, behind one that lies beside another.
  int16_t* behind(int16_t* out) {
    --beside_;
    return out + (beside_ % 2 != 0 ? kBeside : 4 * padded_ - kBeside);
  }

  int16_t* write_inside(int32_t pairs, int16_t* out) {
    const int32_t run = run_bytes_ + filled_;
    const int32_t skip = p_.dilation_h * row_bytes_ - run;
    const int32_t step = p_.stride_w * p_.in_ch;
    const int32_t kernel_h = p_.kernel_h;
    const int8_t* from = position(at_);
    if (runs_.nine) {
      out = widen_nine(from, from + step, out, p_.dilation_h * row_bytes_, pairs, 2 * step);
    } else {
      for (int32_t i = pairs; i > 0; --i, from += 2 * step) {
        out = widen(from, from + step, out, run, kernel_h, skip);
      }
    }
    at_.x += 2 * pairs * p_.stride_w;
    out_x_ += 2 * pairs;
    if (out_x_ == p_.out_w) {
      at_.x -= p_.stride_w;
      --out_x_;
      next();
    }
    return out;
  }

  int16_t* write_pair(const Window& first, const Window& second, int8_t* bytes, int16_t* out) {
    const int32_t step = p_.dilation_h * row_bytes_;
    const int32_t run = run_bytes_ + filled_;
    if (run % 4 == 0 && is_inside(first) && is_inside(second)) {
      const int8_t* const from = position(second);
      if (from + (p_.kernel_h - 1) * step + run <= input_end_) {
        return widen(position(first), from, out, run, p_.kernel_h, step - run);
      }
    }
    bytes_of(first, bytes);
    bytes_of(second, bytes + padded_);
    if (runs_.nine) {
      return widen_nine(bytes, bytes + padded_, out, run_bytes_, 1, 0);
    }
    // What lies behind the last tap does not matter: its weights are zeros.
    return widen(bytes, bytes + padded_, out, padded_, 1, 0);
  }

  /// Writes the bytes of a window and up to three more.
  void bytes_of(const Window& w, int8_t* to) const {
    const int32_t step = p_.dilation_h * row_bytes_;
    if (filled_ == 0 && is_inside(w)) {
      const int8_t* const from = position(w);
      if (from + (p_.kernel_h - 1) * step + run_bytes_ + 3 <= input_end_) {
        mcugen_dsp_copy_runs(from, to, p_.kernel_h, run_bytes_, step);
        return;
      }
    }
    write_bytes(w, filled_, to, [](const int8_t* run, int32_t count, int8_t* end) {
      return copy_run(run, count, end);
    });
  }

  const int8_t* const input_end_;
  const ConvRuns runs_;
  const int32_t padded_;
  const int32_t filled_;  ///< Behind each row of taps.
  const uint32_t minus_zero_point_;
  int32_t beside_ = 0;  ///< Pairs from here on that lie beside another one.
};

/// @returns the bytes of two windows before they are widened.
uint32_t window_bytes(int32_t padded) { return static_cast<uint32_t>(2 * padded + 8); }

}  // namespace

uint32_t convolve_s8_scratch(const Conv2dS8Params& p, int32_t pixels) {
  return static_cast<uint32_t>(gemm_s8_stream_bytes(conv_runs(p).padded)) +
         convolve_packed_s8_scratch(p, pixels);
}

uint32_t convolve_packed_s8_scratch(const Conv2dS8Params& p, int32_t pixels) {
  const int32_t padded = conv_runs(p).padded;
  return window_bytes(padded) +
         static_cast<uint32_t>((pixels + 1) / 2 * gemm_s8_pair_bytes(padded));
}

void write_windows_s8(const Conv2dS8Params& p, const int8_t* input, int32_t pixel, int32_t step,
                      int32_t count, int32_t row_step, int32_t rows, int8_t* bytes, int16_t* out) {
  Windows windows(p, input);
  if (step == 1 && row_step == count && count % 2 == 0) {
    windows.write(0, pixel, rows * count, bytes, out);
    return;
  }
  for (; rows > 0; --rows, pixel += row_step) {
    if (step == 1) {
      windows.write(0, pixel, count, bytes, out);
      out += (count + 1) / 2 * 2 * conv_runs(p).padded;
    } else {
      out = windows.write_apart(pixel, step, count, bytes, out);
    }
  }
}

namespace {

/// The sizes of the image with its border.
struct Bordered {
  explicit Bordered(const Conv2dS8Params& p)
      : in_h((p.out_h - 1) * p.stride_h + (p.kernel_h - 1) * p.dilation_h + 1),
        in_w((p.out_w - 1) * p.stride_w + (p.kernel_w - 1) * p.dilation_w + 1) {}

  const int32_t in_h, in_w;
};

}  // namespace

uint32_t border_s8_bytes(const Conv2dS8Params& p) {
  const Bordered to(p);
  const bool whole = p.pad_top == 0 && p.pad_left == 0 && to.in_h <= p.in_h && to.in_w <= p.in_w;
  // Four bytes more, which runs that are filled up may read.
  const int32_t bytes = (to.in_h * to.in_w * p.in_ch + 4 + 7) & ~7;
  return whole || p.batch != 1 ? 0 : static_cast<uint32_t>(bytes);
}

const int8_t* write_border_s8(Conv2dS8Params& p, const int8_t* input) {
  const Bordered bordered(p);
  const uint32_t bytes = border_s8_bytes(p);
  const int32_t row = bordered.in_w * p.in_ch;
  int8_t* const image = reinterpret_cast<int8_t*>(p.scratch.data);
  int8_t* to = image;
  const TapRange ys = valid_taps(-p.pad_top, p.in_h, bordered.in_h, 1);
  const TapRange xs = valid_taps(-p.pad_left, p.in_w, bordered.in_w, 1);
  for (int32_t y = 0; y < bordered.in_h; ++y) {
    if (y < ys.begin || y >= ys.end) {
      to = fill_run(p.input_zero_point, row, to);
      continue;
    }
    to = fill_run(p.input_zero_point, xs.begin * p.in_ch, to);
    to = copy_run(input + ((y - p.pad_top) * p.in_w + xs.begin - p.pad_left) * p.in_ch,
                  (xs.end - xs.begin) * p.in_ch, to);
    to = fill_run(p.input_zero_point, (bordered.in_w - xs.end) * p.in_ch, to);
  }
  p.in_h = bordered.in_h;
  p.in_w = bordered.in_w;
  p.pad_top = p.pad_left = 0;
  p.scratch.data += bytes;
  p.scratch.bytes -= bytes;
  return image;
}

namespace {

/// Makes a copy of the image with its border, if that is little beside the scratch.
/// @returns the image to read.
const int8_t* with_border(Conv2dS8Params& p, const int8_t* input) {
  const uint32_t bytes = border_s8_bytes(p);
  return bytes == 0 || bytes > p.scratch.bytes / kShare ? input : write_border_s8(p, input);
}

/// A convolution of whatever weights `layer` has; its taps are set here.
/// @param[in] stream_bytes Of the scratch, for the weights of a pair of channels.
bool convolve(const Conv2dS8Params& params, GemmS8Layer& layer, int32_t stream_bytes,
              const int8_t* input, int8_t* output) {
  const ConvRuns runs = conv_runs(params);
  const uint32_t fixed = static_cast<uint32_t>(stream_bytes) + window_bytes(runs.padded);
  const uint32_t pair = static_cast<uint32_t>(gemm_s8_pair_bytes(runs.padded));
  layer.runs = runs.runs;
  layer.run = runs.run;
  layer.nine = runs.nine;
  layer.channels = layer.out_step = params.out_ch;
  if (params.scratch.bytes < fixed + pair || (layer.packed == nullptr && !gemm_s8_prepare(layer))) {
    return false;
  }
  Conv2dS8Params p = params;
  if (forms::kBorder && params.scratch.bytes / kShare >= fixed + pair) {
    input = with_border(p, input);
  }
  int32_t* const stream = reinterpret_cast<int32_t*>(p.scratch.data);
  int8_t* const bytes = reinterpret_cast<int8_t*>(p.scratch.data) + stream_bytes;
  int16_t* const pixels = reinterpret_cast<int16_t*>(p.scratch.data + fixed);
  const int32_t count = p.batch * p.out_h * p.out_w;
  const int32_t most = static_cast<int32_t>((p.scratch.bytes - fixed) / pair) * 2;
  // As many blocks as it takes, of about the same size.
  const int32_t blocks = (count + most - 1) / most;
  int32_t block = ((count + blocks - 1) / blocks + 1) & ~1;
  if (forms::kFourPixels && block % 4 != 0 && block < most) {
    block += 2;
  }
  const int32_t group_out_ch = p.out_ch / p.groups;
  Windows windows(p, input);
  for (int32_t first = 0; first < count; first += block) {
    const int32_t here = count - first < block ? count - first : block;
    for (int32_t group = 0; group < p.groups; ++group) {
      windows.write_all(group, first, here, bytes, pixels);
      gemm_s8_run(layer, group * group_out_ch, (group + 1) * group_out_ch, pixels, here, stream,
                  output + first * p.out_ch + group * group_out_ch);
    }
  }
  if (p.activation_min != INT8_MIN || p.activation_max != INT8_MAX) {
    clamp_s8_scalar(count * p.out_ch, output, static_cast<int8_t>(p.activation_min),
                    static_cast<int8_t>(p.activation_max), output);
  }
  return true;
}

}  // namespace

bool convolve_s8(const Conv2dS8Params& p, const int8_t* input, const int8_t* weights,
                 int32_t channel_step, int32_t tap_step, const int32_t* bias, int8_t* output) {
  if (!forms::kGemm) {
    return false;
  }
  GemmS8Layer layer;
  layer.packed = nullptr;
  layer.weights = weights;
  layer.channel_step = channel_step;
  layer.tap_step = tap_step;
  layer.bias = bias;
  layer.multipliers = p.multipliers;
  layer.shifts = p.shifts;
  layer.input_zero_point = p.input_zero_point;
  layer.output_zero_point = p.output_zero_point;
  layer.activation_min = p.activation_min;
  return convolve(p, layer, gemm_s8_stream_bytes(conv_runs(p).padded), input, output);
}

bool convolve_packed_s8(const Conv2dS8Params& p, const int8_t* input, const int32_t* words,
                        int8_t* output) {
  if (!forms::kPackedGemm) {
    return false;
  }
  GemmS8Layer layer;
  layer.packed = words;
  return convolve(p, layer, 0, input, output);
}

}  // namespace mcugen
