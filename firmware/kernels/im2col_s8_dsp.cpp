// SPDX-License-Identifier: BSD-3-Clause

#pragma GCC optimize("O2")

#include <kernels/im2col_s8_dsp.h>
#include <kernels/loops_dsp.h>
#include <kernels/window.h>

#include <cstring>

namespace mcugen {
namespace {

int32_t taps_of(const Conv2dS8Params& p) { return p.kernel_h * p.kernel_w * (p.in_ch / p.groups); }

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

inline int8_t* fill_run(int32_t value, int32_t count, int8_t* to) {
  for (; count > 0; --count) {
    *to++ = static_cast<int8_t>(value);
  }
  return to;
}

/// Where a window lies.
struct Window {
  const int8_t* image;  ///< Of its batch, from the first channel of its group on.
  int32_t y, x;         ///< Of tap 0; negative inside the leading padding.
};

class Windows {
 public:
  Windows(const Conv2dS8Params& p, const int8_t* input)
      : p_(p),
        input_(input),
        group_in_ch_(p.in_ch / p.groups),
        row_bytes_(p.in_w * p.in_ch),
        run_bytes_(p.kernel_w * group_in_ch_),
        // A row of taps lies side by side.
        rows_are_runs_(p.dilation_w == 1 && p.groups == 1),
        padded_(gemm_s8_padded(taps_of(p))),
        minus_zero_point_(0x10001u * static_cast<uint16_t>(-p.input_zero_point)) {}

  /// Writes a pair of pixels as McugenDspTiles wants them, and returns its end.
  /// @param[in] bytes 2 * padded bytes to be written over.
  int16_t* write_pair(int32_t group, int32_t pixel0, int32_t pixel1, int8_t* bytes,
                      int16_t* out) const {
    const Window first = window(group, pixel0);
    const Window second = window(group, pixel1);
    if (rows_are_runs_ && inside(first) && inside(second)) {
      const int8_t* in0 = at(first);
      const int8_t* in1 = at(second);
      const int32_t step = p_.dilation_h * row_bytes_;
      if (p_.kernel_h == 1 || run_bytes_ % 4 == 0) {
        for (int32_t ky = 0; ky < p_.kernel_h; ++ky, in0 += step, in1 += step) {
          out =
              mcugen_dsp_widen(in0, in1, out, static_cast<uint32_t>(run_bytes_), minus_zero_point_);
        }
        return out;
      }
      int8_t* to = bytes;
      for (int32_t ky = 0; ky < p_.kernel_h; ++ky, in0 += step, in1 += step) {
        copy_run(in0, run_bytes_, to);
        to = copy_run(in1, run_bytes_, to + padded_) - padded_;
      }
    } else {
      gather(first, bytes);
      gather(second, bytes + padded_);
    }
    return mcugen_dsp_widen(bytes, bytes + padded_, out, static_cast<uint32_t>(taps_of(p_)),
                            minus_zero_point_);
  }

 private:
  Window window(int32_t group, int32_t pixel) const {
    const int32_t line = pixel / p_.out_w;
    const int32_t batch = line / p_.out_h;
    return {input_ + batch * p_.in_h * row_bytes_ + group * group_in_ch_,
            (line - batch * p_.out_h) * p_.stride_h - p_.pad_top,
            (pixel - line * p_.out_w) * p_.stride_w - p_.pad_left};
  }

  const int8_t* at(const Window& w) const { return w.image + w.y * row_bytes_ + w.x * p_.in_ch; }

  bool inside(const Window& w) const {
    return w.y >= 0 && w.x >= 0 && w.y + (p_.kernel_h - 1) * p_.dilation_h < p_.in_h &&
           w.x + (p_.kernel_w - 1) * p_.dilation_w < p_.in_w;
  }

  /// Writes the bytes of a window; outside of the image there is the zero point.
  void gather(const Window& w, int8_t* to) const {
    const TapRange xs = valid_taps(w.x, p_.in_w, p_.kernel_w, p_.dilation_w);
    for (int32_t ky = 0; ky < p_.kernel_h; ++ky) {
      const int32_t y = w.y + ky * p_.dilation_h;
      if (y < 0 || y >= p_.in_h || xs.begin == xs.end) {
        to = fill_run(p_.input_zero_point, run_bytes_, to);
        continue;
      }
      to = fill_run(p_.input_zero_point, xs.begin * group_in_ch_, to);
      const int8_t* from = w.image + y * row_bytes_ + (w.x + xs.begin * p_.dilation_w) * p_.in_ch;
      if (rows_are_runs_) {
        to = copy_run(from, (xs.end - xs.begin) * group_in_ch_, to);
      } else {
        for (int32_t kx = xs.begin; kx < xs.end; ++kx, from += p_.dilation_w * p_.in_ch) {
          to = copy_run(from, group_in_ch_, to);
        }
      }
      to = fill_run(p_.input_zero_point, (p_.kernel_w - xs.end) * group_in_ch_, to);
    }
  }

  const Conv2dS8Params& p_;
  const int8_t* const input_;
  const int32_t group_in_ch_;
  const int32_t row_bytes_;
  const int32_t run_bytes_;
  const bool rows_are_runs_;
  const int32_t padded_;
  const uint32_t minus_zero_point_;
};

}  // namespace

uint32_t convolve_s8_scratch(const Conv2dS8Params& p, int32_t pixels) {
  const int32_t taps = taps_of(p);
  return static_cast<uint32_t>(gemm_s8_stream_bytes(taps) + 2 * gemm_s8_padded(taps) +
                               (pixels + 1) / 2 * gemm_s8_pair_bytes(taps));
}

bool convolve_s8(const Conv2dS8Params& p, GemmS8Layer& layer, const int8_t* input, int8_t* output) {
  const uint32_t fixed = convolve_s8_scratch(p, 0);
  const uint32_t pair = static_cast<uint32_t>(gemm_s8_pair_bytes(layer.taps));
  if (p.scratch.bytes < fixed + pair || !gemm_s8_prepare(layer)) {
    return false;
  }
  int32_t* const stream = reinterpret_cast<int32_t*>(p.scratch.data);
  int8_t* const bytes =
      reinterpret_cast<int8_t*>(p.scratch.data) + gemm_s8_stream_bytes(layer.taps);
  int16_t* const pixels = reinterpret_cast<int16_t*>(p.scratch.data + fixed);
  const int32_t count = p.batch * p.out_h * p.out_w;
  const int32_t most = static_cast<int32_t>((p.scratch.bytes - fixed) / pair) * 2;
  // As many blocks as it takes, of about the same size.
  const int32_t blocks = (count + most - 1) / most;
  const int32_t block = ((count + blocks - 1) / blocks + 1) & ~1;
  const int32_t group_out_ch = p.out_ch / p.groups;
  const Windows windows(p, input);
  for (int32_t first = 0; first < count; first += block) {
    const int32_t here = count - first < block ? count - first : block;
    for (int32_t group = 0; group < p.groups; ++group) {
      int16_t* to = pixels;
      for (int32_t i = 0; i + 1 < here; i += 2) {
        to = windows.write_pair(group, first + i, first + i + 1, bytes, to);
      }
      if (here % 2 != 0) {
        const int32_t last = first + here - 1;
        windows.write_pair(group, here >= 2 ? last - 1 : last, last, bytes, to);
      }
      gemm_s8_run(layer, group * group_out_ch, (group + 1) * group_out_ch, pixels, here, stream,
                  output + first * p.out_ch + group * group_out_ch);
    }
  }
  if (p.activation_min != INT8_MIN || p.activation_max != INT8_MAX) {
    clamp_run_s8(output, count * p.out_ch, p.activation_min, p.activation_max);
  }
  return true;
}

}  // namespace mcugen
