// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <kernels/conv2d_s8_params.h>
#include <kernels/window.h>

#include <cstdint>

/// What the im2col of all cores have in common: where the windows of a convolution lie.

namespace mcugen {

inline int8_t* fill_run(int32_t value, int32_t count, int8_t* to) {
  for (; count > 0; --count) {
    *to++ = static_cast<int8_t>(value);
  }
  return to;
}

/// The windows of a convolution, one after the other in the order of the output.
class ConvWindows {
 protected:
  /// Where a window lies.
  struct Window {
    const int8_t* image;  ///< Of its batch, from the first channel of its group on.
    int32_t y, x;         ///< Of tap 0; negative inside the leading padding.
  };

  ConvWindows(const Conv2dS8Params& p, const int8_t* input)
      : p_(p),
        input_(input),
        group_in_ch_(p.in_ch / p.groups),
        row_bytes_(p.in_w * p.in_ch),
        run_bytes_(p.kernel_w * group_in_ch_),
        // A row of taps lies side by side.
        rows_are_runs_(p.dilation_w == 1 && p.groups == 1),
        last_y_(p.in_h - (p.kernel_h - 1) * p.dilation_h - 1),
        last_x_(p.in_w - (p.kernel_w - 1) * p.dilation_w - 1) {}

  /// Each pixel of the output is one of the input: windows lie one behind the other.
  bool are_pixels() const {
    return p_.groups == 1 && p_.kernel_h == 1 && p_.kernel_w == 1 && p_.stride_h == 1 &&
           p_.stride_w == 1 && p_.out_h == p_.in_h && p_.out_w == p_.in_w && p_.pad_top == 0 &&
           p_.pad_left == 0;
  }

  void go_to(int32_t group, int32_t pixel) {
    const int32_t line = pixel / p_.out_w;
    const int32_t batch = line / p_.out_h;
    out_x_ = pixel - line * p_.out_w;
    out_y_ = line - batch * p_.out_h;
    at_ = {input_ + batch * p_.in_h * row_bytes_ + group * group_in_ch_,
           out_y_ * p_.stride_h - p_.pad_top, out_x_ * p_.stride_w - p_.pad_left};
  }

  Window next() {
    const Window here = at_;
    at_.x += p_.stride_w;
    if (++out_x_ == p_.out_w) {
      out_x_ = 0;
      at_.x = -p_.pad_left;
      at_.y += p_.stride_h;
      if (++out_y_ == p_.out_h) {
        out_y_ = 0;
        at_.y = -p_.pad_top;
        at_.image += p_.in_h * row_bytes_;
      }
    }
    return here;
  }

  const int8_t* position(const Window& w) const {
    return w.image + w.y * row_bytes_ + w.x * p_.in_ch;
  }

  /// Whether every row of taps is a run inside of the image.
  bool is_inside(const Window& w) const {
    return rows_are_runs_ && w.y >= 0 && w.x >= 0 && w.y <= last_y_ && w.x <= last_x_;
  }

  /// Writes the bytes of a window; outside of the image there is the zero point.
  /// @param[in] filled Bytes that are left out behind each row of taps.
  /// @param[in] copy_run (from, count, to): copies a run, returns its end.
  template <typename CopyRun>
  void write_bytes(const Window& w, int32_t filled, int8_t* to, CopyRun copy_run) const {
    const TapRange xs = valid_taps(w.x, p_.in_w, p_.kernel_w, p_.dilation_w);
    for (int32_t ky = 0; ky < p_.kernel_h; ++ky) {
      const int32_t y = w.y + ky * p_.dilation_h;
      if (y < 0 || y >= p_.in_h || xs.begin == xs.end) {
        to = fill_run(p_.input_zero_point, run_bytes_, to) + filled;
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
      to = fill_run(p_.input_zero_point, (p_.kernel_w - xs.end) * group_in_ch_, to) + filled;
    }
  }

  const Conv2dS8Params& p_;
  const int8_t* const input_;
  const int32_t group_in_ch_;
  const int32_t row_bytes_;
  const int32_t run_bytes_;
  const bool rows_are_runs_;
  const int32_t last_y_;
  const int32_t last_x_;
  int32_t out_x_ = 0;
  int32_t out_y_ = 0;
  Window at_{};
};

}  // namespace mcugen
