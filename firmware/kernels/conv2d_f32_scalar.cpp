// SPDX-License-Identifier: BSD-3-Clause
#include <kernels/conv2d_f32.h>
#include <kernels/window.h>

namespace mcugen {
namespace {

/// sum + the products of `count` neighbours each.
float add_products(float sum, int32_t count, const float* a, int32_t a_step, const float* b,
                   int32_t b_step) {
  for (; count > 0; --count, a += a_step, b += b_step) {
    sum += *a * *b;
  }
  return sum;
}

/// One output element.
float convolve(const Conv2dF32Params& p, int32_t y, int32_t x, const float* input,
               const float* filter, float sum) {
  const TapRange ys = valid_taps(y, p.input.h, p.weights.h, p.dilation_h);
  const TapRange xs = valid_taps(x, p.input.w, p.weights.w, p.dilation_w);
  for (int32_t ky = ys.begin; ky < ys.end; ++ky) {
    const float* const row = input + (y + ky * p.dilation_h) * p.input.h_step;
    const float* const taps = filter + ky * p.weights.h_step;
    for (int32_t kx = xs.begin; kx < xs.end; ++kx) {
      sum = add_products(sum, p.weights.c, row + (x + kx * p.dilation_w) * p.input.w_step,
                         p.input.c_step, taps + kx * p.weights.w_step, p.weights.c_step);
    }
  }
  return sum;
}

/// One output element of a transposed convolution; y and x include the padding.
float convolve_transposed(const Conv2dF32Params& p, int32_t y, int32_t x, const float* input,
                          const float* filter, float sum) {
  for (int32_t ky = 0; ky < p.weights.h && y >= 0; ++ky, y -= p.dilation_h) {
    const int32_t in_y = y / p.stride_h;
    if (in_y >= p.input.h || in_y * p.stride_h != y) {
      continue;
    }
    const float* const row = input + in_y * p.input.h_step;
    const float* const taps = filter + ky * p.weights.h_step;
    int32_t left = x;
    for (int32_t kx = 0; kx < p.weights.w && left >= 0; ++kx, left -= p.dilation_w) {
      const int32_t in_x = left / p.stride_w;
      if (in_x < p.input.w && in_x * p.stride_w == left) {
        sum = add_products(sum, p.input.c / p.groups, row + in_x * p.input.w_step, p.input.c_step,
                           taps + kx * p.weights.w_step, p.weights.n_step);
      }
    }
  }
  return sum;
}

void for_each_output(const Conv2dF32Params& p, bool transposed, const float* input,
                     const float* weights, const float* bias, float* output) {
  const int32_t group_in = p.input.c / p.groups;
  const int32_t group_out = p.output.c / p.groups;
  for (int32_t b = 0; b < p.output.n; ++b) {
    for (int32_t o = 0; o < p.output.c; ++o) {
      const int32_t group = o / group_out;
      const float* const in = input + b * p.input.n_step + group * group_in * p.input.c_step;
      const float* const filter =
          weights + (transposed ? group * group_in * p.weights.n_step +
                                      (o - group * group_out) * p.weights.c_step
                                : o * p.weights.n_step);
      const float start = bias != nullptr ? bias[o] : 0.0f;
      float* const out = output + b * p.output.n_step + o * p.output.c_step;
      for (int32_t y = 0; y < p.output.h; ++y) {
        for (int32_t x = 0; x < p.output.w; ++x) {
          out[y * p.output.h_step + x * p.output.w_step] = one_nan(
              transposed ? convolve_transposed(p, y + p.pad_top, x + p.pad_left, in, filter, start)
                         : convolve(p, y * p.stride_h - p.pad_top, x * p.stride_w - p.pad_left, in,
                                    filter, start));
        }
      }
    }
  }
}

}  // namespace

void conv2d_f32_scalar(const Conv2dF32Params& params, const float* input, const float* weights,
                       const float* bias, float* output) {
  for_each_output(params, false, input, weights, bias, output);
}

void transpose_conv2d_f32_scalar(const Conv2dF32Params& params, const float* input,
                                 const float* weights, const float* bias, float* output) {
  for_each_output(params, true, input, weights, bias, output);
}

}  // namespace mcugen
