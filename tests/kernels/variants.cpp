// SPDX-License-Identifier: BSD-3-Clause
// Kernels of this core's instruction set beside the scalar ones, on random calls; bare metal, under
// QEMU. Prints one line per difference and ends with how many calls were compared.
//
// Built with -DCALLS=n -DSEED=n. Every buffer has a border that must stay as it was.

#include <kernels/clamp_s8.h>
#include <kernels/conv2d_s8.h>
#include <kernels/depthwise_conv2d_s8.h>
#include <kernels/elementwise_s8.h>
#include <kernels/forms.h>
#include <kernels/in_place.h>
#include <kernels/limit.h>
#include <kernels/linear_s8.h>
#include <kernels/packed_conv2d_s8.h>
#include <kernels/packed_conv_depthwise_s8.h>
#include <kernels/packed_linear_blocks_s8.h>
#include <kernels/packed_linear_s8.h>
#include <kernels/pool2d_s8.h>
#include <kernels/requantize.h>
#include <kernels/scaled_add_s8.h>
#include <kernels/transpose_conv2d_s8.h>
#include <kernels/winograd4_s8.h>
#include <kernels/winograd_form.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <initializer_list>

#if defined(__ARM_FEATURE_MVE)
#define VARIANT(name) mcugen::name##_mve
#elif defined(__ARM_FEATURE_DSP)
#include <kernels/winograd_s8_dsp.h>
#define VARIANT(name) mcugen::name##_dsp
#define WINOGRAD mcugen::winograd_s8
#else
#include <kernels/loops_mla.h>
#include <kernels/winograd_s8_mla.h>
#define VARIANT(name) mcugen::name##_mla
#if MCUGEN_MLA_CHANNELS == 2
#define WINOGRAD mcugen::winograd_s8_mla
#endif
#endif

namespace {

uint32_t g_random = SEED;
int g_different = 0;
long g_fast = 0;
long g_winograd = 0;
long g_winograd4 = 0;
long g_planes = 0;

uint32_t random_word() {
  g_random = g_random * 1664525u + 1013904223u;
  return g_random >> 8;
}

int32_t random_int(int32_t low, int32_t high) {
  return low + static_cast<int32_t>(random_word() % static_cast<uint32_t>(high - low + 1));
}

bool one_in(int32_t n) { return random_int(1, n) == 1; }

constexpr int32_t kMost = 150'000;
constexpr int32_t kBorder = 64;

template <typename T>
struct Buffer {
  T all[kMost + 2 * kBorder];
  T* data;
  int32_t count;

  /// A buffer of `n` elements at any address that its type may have.
  T* make(int32_t n) {
    if (n > kMost) {
      printf("too large a test: %ld\n", static_cast<long>(n));
      exit(1);
    }
    data = all + kBorder + random_int(0, 3);
    count = n;
    memset(all, 0x5a, sizeof all);
    return data;
  }

  bool border_is_whole() const {
    const uint8_t* const bytes = reinterpret_cast<const uint8_t*>(all);
    const uint8_t* const begin = reinterpret_cast<const uint8_t*>(data);
    const uint8_t* const end = reinterpret_cast<const uint8_t*>(data + count);
    for (const uint8_t* p = begin - kBorder; p != begin; ++p) {
      if (*p != 0x5a) {
        return false;
      }
    }
    for (const uint8_t* p = end; p != end + kBorder && p < bytes + sizeof all; ++p) {
      if (*p != 0x5a) {
        return false;
      }
    }
    return true;
  }
};

Buffer<int8_t> g_input, g_weights, g_expected, g_output;
Buffer<int32_t> g_bias, g_multipliers, g_shifts;
alignas(8) uint8_t g_scratch[40'000];

void fill(Buffer<int8_t>& buffer) {
  const int32_t kind = random_int(0, 5);
  for (int32_t i = 0; i < buffer.count; ++i) {
    buffer.data[i] = static_cast<int8_t>(kind == 0   ? -128
                                         : kind == 1 ? 127
                                         : kind == 2 ? (one_in(2) ? -128 : 127)
                                                     : random_int(-128, 127));
  }
}

int32_t zero_point() {
  constexpr int32_t kOften[] = {-128, 0, 127};
  return one_in(2) ? kOften[random_int(0, 2)] : random_int(-128, 127);
}

template <typename Params>
void scaling(Params& p, int32_t channels, int32_t taps, const int32_t*& bias) {
  int32_t bits = 8;
  while (taps >> (2 * (bits - 8)) > 1) {
    ++bits;
  }
  int32_t* const multipliers = g_multipliers.make(channels);
  int32_t* const shifts = g_shifts.make(channels);
  int32_t* const biases = g_bias.make(channels);
  const bool odd = one_in(4);
  const int32_t size = one_in(6) ? 2'000'000'000 : one_in(2) ? 20'000 : 1'000;
  for (int32_t c = 0; c < channels; ++c) {
    multipliers[c] = one_in(8) ? (one_in(2) ? 1 << 30 : INT32_MAX)
                               : static_cast<int32_t>((1u << 30) | (random_word() << 6));
    if (one_in(60)) {
      multipliers[c] = 0;
    }
    shifts[c] = odd && one_in(3) ? random_int(one_in(2) ? -45 : -26, one_in(8) ? 3 : -1)
                                 : -random_int(bits - 3, bits + 1);
    biases[c] = random_int(-size / 2, size / 2);
  }
  p.multipliers = multipliers;
  p.shifts = shifts;
  bias = one_in(4) ? nullptr : biases;
  p.input_zero_point = zero_point();
  p.output_zero_point = one_in(2) ? -128 : zero_point();
  p.activation_min = -128;
  p.activation_max = 127;
  if (one_in(3)) {
    p.activation_min = one_in(2) ? p.output_zero_point : random_int(-128, 127);
    p.activation_max = random_int(p.activation_min, 127);
  }
  constexpr int32_t kBytes = sizeof g_scratch;
  p.scratch = {g_scratch, static_cast<uint32_t>(one_in(8)   ? 0
                                                : one_in(3) ? random_int(0, 2000)
                                                            : random_int(0, kBytes))};
}

void compare(const char* what, long call, const mcugen::Scratch& scratch, const int32_t* shape) {
  const bool bytes =
      memcmp(g_expected.data, g_output.data, static_cast<size_t>(g_expected.count)) == 0;
  bool whole = g_output.border_is_whole();
  for (uint32_t i = scratch.bytes; i < sizeof g_scratch; ++i) {
    whole = whole && g_scratch[i] == 0xa5;
  }
  g_fast += scratch.bytes != 0 && g_scratch[0] != 0xa5;
  memset(g_scratch, 0xa5, sizeof g_scratch);
  if (bytes && whole) {
    return;
  }
  int32_t at = 0;
  while (at < g_expected.count - 1 && g_expected.data[at] == g_output.data[at]) {
    ++at;
  }
  ++g_different;
  printf("%s, call %ld: %s; at %ld of %ld: %d, not %d;", what, call,
         whole ? "bytes differ" : "wrote outside", static_cast<long>(at),
         static_cast<long>(g_expected.count), g_output.data[at], g_expected.data[at]);
  for (int32_t i = 0; i < 16; ++i) {
    printf(" %ld", static_cast<long>(shape[i]));
  }
  printf(" scratch %ld\n", static_cast<long>(scratch.bytes));
}

/// Makes the output and copies the input where it ends up under it, as near as it may, or a little
/// further, a multiple of `unit` from it. @returns the copy.
const int8_t* input_over_output(const mcugen::Conv2dS8Params& p, int32_t unit) {
  const int32_t out = p.out_h * p.out_w * p.out_ch;
  const int32_t least = static_cast<int32_t>(mcugen::in_place_distance(p));
  const int32_t above = least > 0 ? (least + unit - 1) / unit * unit : 0;
  const int32_t distance = above + unit * random_int(0, 2);
  const int32_t end = distance + g_input.count;
  int8_t* const output = g_output.make(end > out ? end : out);
  memcpy(output + distance, g_input.data, static_cast<size_t>(g_input.count));
  return output + distance;
}

/// Copies a row of inputs into the scratch that it is widened to, as near its begin as it may lie
/// or a little further. @returns the copy, null if there is no room or more than a row.
template <typename Params>
const int8_t* input_in_scratch(const Params& p) {
  const int32_t at = ((p.in_ch + 3) & ~3) + random_int(0, 2) * random_int(0, 9);
  if (p.batch != 1 || static_cast<int32_t>(p.scratch.bytes) < at + p.in_ch) {
    return nullptr;
  }
  memcpy(p.scratch.data + at, g_input.data, static_cast<size_t>(p.in_ch));
  return reinterpret_cast<const int8_t*>(p.scratch.data + at);
}

int32_t outputs(int32_t in, int32_t pad_before, int32_t pad_after, int32_t dilation, int32_t kernel,
                int32_t stride) {
  return (in + pad_before + pad_after - (kernel - 1) * dilation - 1) / stride + 1;
}

template <typename Params>
void geometry(Params& p) {
  p.batch = one_in(6) ? 2 : 1;
  const bool common = one_in(2);
  p.kernel_h = common ? 3 : random_int(1, 5);
  p.kernel_w = common ? 3 : random_int(1, 5);
  if (one_in(4)) {
    p.kernel_h = p.kernel_w = 1;
  }
  p.stride_h = random_int(1, one_in(3) ? 3 : 2);
  p.stride_w = one_in(2) ? p.stride_h : random_int(1, 3);
  p.dilation_h = one_in(6) ? 2 : 1;
  p.dilation_w = one_in(6) ? random_int(1, 3) : 1;
  const int32_t reach_h = (p.kernel_h - 1) * p.dilation_h;
  const int32_t reach_w = (p.kernel_w - 1) * p.dilation_w;
  p.pad_top = random_int(0, reach_h);
  p.pad_left = random_int(0, reach_w);
  const int32_t after_h = random_int(0, reach_h);
  const int32_t after_w = random_int(0, reach_w);
  p.in_h = random_int(1, 12);
  p.in_w = one_in(8) ? random_int(20, 40) : random_int(1, 12);
  if (p.in_h + p.pad_top + after_h <= reach_h) {
    p.in_h = reach_h + 1;
  }
  if (p.in_w + p.pad_left + after_w <= reach_w) {
    p.in_w = reach_w + 1;
  }
  p.out_h = outputs(p.in_h, p.pad_top, after_h, p.dilation_h, p.kernel_h, p.stride_h);
  p.out_w = outputs(p.in_w, p.pad_left, after_w, p.dilation_w, p.kernel_w, p.stride_w);
}

/// What Winograd's algorithm takes, or nearly: 3x3, stride 1, whole tiles, any padding.
void tiles(mcugen::Conv2dS8Params& p) {
  p.kernel_h = p.kernel_w = 3;
  p.stride_h = p.stride_w = p.dilation_h = p.dilation_w = p.groups = 1;
  p.in_ch = 4 * (one_in(8) ? random_int(8, 17) : random_int(1, 6));
  p.out_ch = random_int(one_in(8) ? 1 : 6, 20);
  p.out_h = 2 * random_int(1, 5);
  p.out_w = 4 * random_int(1, one_in(8) ? 8 : 3);
  p.pad_top = random_int(0, 2);
  p.pad_left = random_int(0, 2);
  // Sometimes more of the image than is read, or a border of more than two.
  p.in_h = p.out_h + 2 - p.pad_top - random_int(one_in(8) ? -3 : 0, 2);
  p.in_w = p.out_w + 2 - p.pad_left - random_int(one_in(8) ? -3 : 0, 2);
  p.in_h = p.in_h < 1 ? 1 : p.in_h;
  p.in_w = p.in_w < 1 ? 1 : p.in_w;
}

void conv2d(long call) {
  mcugen::Conv2dS8Params p{};
  geometry(p);
  p.groups = one_in(4) ? random_int(2, 3) : 1;
  // Often the three colours of an image.
  p.in_ch = p.groups * (one_in(20) ? random_int(60, 90) : one_in(6) ? 3 : random_int(1, 20));
  p.out_ch = p.groups * random_int(1, 18);
  if (one_in(40)) {
    p.in_h = p.out_h = p.in_w = p.out_w = p.kernel_h = p.kernel_w = p.stride_h = p.stride_w = 1;
    p.pad_top = p.pad_left = 0;
    p.in_ch = p.groups * random_int(200, 400);
  }
  if (one_in(2)) {
    tiles(p);
  }
  if (one_in(6)) {
    p.in_ch = p.groups * (16 << random_int(0, 2));
  }
  const int32_t taps = p.kernel_h * p.kernel_w * p.in_ch / p.groups;
  const int8_t* const input = g_input.make(p.batch * p.in_h * p.in_w * p.in_ch);
  const int8_t* const weights = g_weights.make(p.out_ch * taps);
  fill(g_input);
  fill(g_weights);
  const int32_t* bias;
  scaling(p, p.out_ch, taps, bias);
  const int32_t count = p.batch * p.out_h * p.out_w * p.out_ch;
  mcugen::conv2d_s8_scalar(p, input, weights, bias, g_expected.make(count));
  VARIANT(conv2d_s8)(p, input, weights, bias, g_output.make(count));
  compare("conv2d_s8", call, p.scratch, &p.batch);
  if (p.batch == 1 && p.groups == 1) {
    const int8_t* over = input_over_output(p, 1);
    VARIANT(conv2d_s8)(p, over, weights, bias, g_output.data);
    compare("conv2d_s8 in place", call, p.scratch, &p.batch);
    over = input_over_output(p, 1);
    mcugen::conv2d_s8_scalar(p, over, weights, bias, g_output.data);
    compare("conv2d_s8_scalar in place", call, p.scratch, &p.batch);
  }
#ifdef WINOGRAD
  g_winograd += WINOGRAD(p, input, weights, bias, g_output.data);
  memset(g_scratch, 0xa5, sizeof g_scratch);
#endif
}

void depthwise_conv2d(long call) {
  mcugen::DepthwiseConv2dS8Params p{};
  geometry(p);
  p.in_ch = random_int(1, 18);
  p.groups = p.in_ch;
  p.depth_multiplier = one_in(4) ? random_int(2, 5) : 1;
  const int32_t out_ch = p.out_ch = p.in_ch * p.depth_multiplier;
  const int8_t* const input = g_input.make(p.batch * p.in_h * p.in_w * p.in_ch);
  const int8_t* const weights = g_weights.make(p.kernel_h * p.kernel_w * out_ch);
  fill(g_input);
  fill(g_weights);
  const int32_t* bias;
  scaling(p, out_ch, p.kernel_h * p.kernel_w, bias);
  const int32_t count = p.batch * p.out_h * p.out_w * out_ch;
  mcugen::depthwise_conv2d_s8_scalar(p, input, weights, bias, g_expected.make(count));
  VARIANT(depthwise_conv2d_s8)(p, input, weights, bias, g_output.make(count));
  compare("depthwise_conv2d_s8", call, p.scratch, &p.batch);
  if (p.batch == 1 && p.depth_multiplier == 1) {
    const int8_t* over = input_over_output(p, p.in_ch);
    VARIANT(depthwise_conv2d_s8)(p, over, weights, bias, g_output.data);
    compare("depthwise_conv2d_s8 in place", call, p.scratch, &p.batch);
    over = input_over_output(p, p.in_ch);
    mcugen::depthwise_conv2d_s8_scalar(p, over, weights, bias, g_output.data);
    compare("depthwise_conv2d_s8_scalar in place", call, p.scratch, &p.batch);
  }
}

void linear(long call) {
  mcugen::LinearS8Params p{};
  p.batch = random_int(1, 3);
  p.in_ch = one_in(8) ? random_int(200, 700) : random_int(1, 70);
  p.out_ch = random_int(1, 21);
  const int8_t* const input = g_input.make(p.batch * p.in_ch);
  const int8_t* const weights = g_weights.make(p.out_ch * p.in_ch);
  fill(g_input);
  fill(g_weights);
  mcugen::Conv2dS8Params scales{};
  const int32_t* bias;
  scaling(scales, p.out_ch, p.in_ch, bias);
  p.input_zero_point = scales.input_zero_point;
  p.weights_zero_point = one_in(4) ? zero_point() : 0;
  p.output_zero_point = scales.output_zero_point;
  p.activation_min = scales.activation_min;
  p.activation_max = scales.activation_max;
  static int64_t multipliers[32];
  static int64_t shifts[32];
  for (int32_t o = 0; o < p.out_ch; ++o) {
    multipliers[o] = scales.multipliers[o];
    shifts[o] = scales.shifts[o];
  }
  p.multipliers = multipliers;
  p.shifts = shifts;
  p.per_channel = one_in(2);
  if (one_in(2)) {
    p.channel_multipliers = scales.multipliers;
    p.channel_shifts = scales.shifts;
  }
  const int32_t count = p.batch * p.out_ch;
  mcugen::linear_s8_scalar(p, input, weights, bias, g_expected.make(count));
  VARIANT(linear_s8)(p, input, weights, bias, g_output.make(count));
  compare("linear_s8", call, {}, &p.batch);
}

/// Both forms of it, whichever this core takes.
void high_mul(long call) {
  constexpr int32_t kExtremes[] = {INT32_MIN, INT32_MAX, 0, -1, 1, 0xffff, 0x8000, -0x10000};
  const int32_t a = one_in(4) ? kExtremes[random_int(0, 7)]
                              : static_cast<int32_t>(random_word() << 8 ^ random_word());
  const int32_t b = one_in(4) ? kExtremes[random_int(1, 7)]
                              : static_cast<int32_t>(random_word() << 8 ^ random_word()) | 1;
  const int32_t expected = static_cast<int32_t>((static_cast<int64_t>(a) * b + (1 << 30)) >> 31);
  const int32_t halves = mcugen::doubling_high_mul_by_halves(a, b);
  if (halves != expected || mcugen::doubling_high_mul(a, b) != expected) {
    ++g_different;
    printf("doubling_high_mul, call %ld: %ld * %ld: %ld, not %ld\n", call, static_cast<long>(a),
           static_cast<long>(b), static_cast<long>(halves), static_cast<long>(expected));
  }
}

void add(long call) {
  mcugen::AddS8Params p{};
  mcugen::AddS8Operand* const operands[] = {&p.a, &p.b};
  for (mcugen::AddS8Operand* each : operands) {
    each->zero_point = zero_point();
    each->multiplier =
        one_in(4) ? 1 << 30 : static_cast<int32_t>((1u << 30) | (random_word() << 6));
    each->multiplier = one_in(6) ? -each->multiplier : each->multiplier;
    each->shift = one_in(8) ? random_int(-31, 3) : -random_int(0, 4);
  }
  p.output_zero_point = zero_point();
  p.output_multiplier = static_cast<int32_t>((1u << 30) | (random_word() << 6));
  p.output_shift = one_in(8) ? random_int(-31, 3) : -random_int(16, 20);
  p.activation_min = one_in(2) ? -128 : random_int(-128, 127);
  p.activation_max = one_in(2) ? 127 : random_int(p.activation_min, 127);
  const int32_t count = random_int(1, 400);
  const int8_t* const a = g_input.make(count);
  const int8_t* const b = g_weights.make(count);
  fill(g_input);
  fill(g_weights);
  const int32_t a_step = one_in(6) ? 0 : 1;
  const int32_t b_step = one_in(6) ? 0 : 1;
  mcugen::add_s8_scalar(p, count, a, a_step, b, b_step, g_expected.make(count));
  VARIANT(add_s8)(p, count, a, a_step, b, b_step, g_output.make(count));
  const int32_t shape[16] = {p.a.zero_point, p.a.multiplier, p.a.shift,           p.b.zero_point,
                             p.b.multiplier, p.b.shift,      p.output_multiplier, p.output_shift};
  compare("add_s8", call, {}, shape);
}

/// @returns whether there is a pool of this shape.
bool pool(mcugen::Pool2dS8Params& p) {
  mcugen::DepthwiseConv2dS8Params g{};
  geometry(g);
  p.batch = g.batch;
  p.in_h = g.in_h;
  p.in_w = g.in_w;
  p.channels = random_int(1, 18);
  p.kernel_h = g.kernel_h;
  p.kernel_w = g.kernel_w;
  p.stride_h = g.stride_h;
  p.stride_w = g.stride_w;
  p.pad_top = random_int(0, p.kernel_h / 2);
  p.pad_left = random_int(0, p.kernel_w / 2);
  if (one_in(3)) {  // of the whole image
    p.kernel_h = p.in_h = random_int(1, 30);
    p.kernel_w = p.in_w = random_int(1, 30);
    p.pad_top = p.pad_left = 0;
  }
  if (p.in_h + p.pad_top < p.kernel_h || p.in_w + p.pad_left < p.kernel_w) {
    return false;
  }
  p.out_h = outputs(p.in_h, p.pad_top, 0, 1, p.kernel_h, p.stride_h);
  p.out_w = outputs(p.in_w, p.pad_left, 0, 1, p.kernel_w, p.stride_w);
  return true;
}

void avg_pool2d(long call) {
  mcugen::Pool2dS8Params p{};
  if (!pool(p)) {
    return;
  }
  const int8_t* const input = g_input.make(p.batch * p.in_h * p.in_w * p.channels);
  fill(g_input);
  const int32_t count = p.batch * p.out_h * p.out_w * p.channels;
  mcugen::avg_pool2d_s8_scalar(p, input, g_expected.make(count));
  VARIANT(avg_pool2d_s8)(p, input, g_output.make(count));
  compare("avg_pool2d_s8", call, {}, &p.batch);
}

void transpose_conv2d(long call) {
  mcugen::Conv2dS8Params p{};
  geometry(p);
  p.groups = 1;
  p.in_ch = random_int(1, 20);
  p.out_ch = random_int(1, 10);
  // Outputs as the operator has them, with some that no input reaches.
  const int32_t reach_h = (p.kernel_h - 1) * p.dilation_h;
  const int32_t reach_w = (p.kernel_w - 1) * p.dilation_w;
  p.out_h = (p.in_h - 1) * p.stride_h - 2 * p.pad_top + reach_h + 1 + random_int(0, 2);
  p.out_w = (p.in_w - 1) * p.stride_w - 2 * p.pad_left + reach_w + 1 + random_int(0, 2);
  if (p.out_h < 1 || p.out_w < 1 || p.batch * p.out_h * p.out_w * p.out_ch > kMost) {
    return;
  }
  const int32_t taps = p.kernel_h * p.kernel_w * p.in_ch;
  const int8_t* const input = g_input.make(p.batch * p.in_h * p.in_w * p.in_ch);
  const int8_t* const weights = g_weights.make(p.out_ch * taps);
  fill(g_input);
  fill(g_weights);
  const int32_t* bias;
  scaling(p, p.out_ch, taps, bias);
  const int32_t count = p.batch * p.out_h * p.out_w * p.out_ch;
  mcugen::transpose_conv2d_s8_scalar(p, input, weights, bias, g_expected.make(count));
  VARIANT(transpose_conv2d_s8)(p, input, weights, bias, g_output.make(count));
  compare("transpose_conv2d_s8", call, {}, &p.batch);
}

void max_pool2d(long call) {
  mcugen::Pool2dS8Params p{};
  if (!pool(p)) {
    return;
  }
  p.channels += one_in(4) ? 16 : 0;
  p.activation_min = one_in(2) ? -128 : random_int(-128, 127);
  p.activation_max = random_int(p.activation_min, 127);
  const int8_t* const input = g_input.make(p.batch * p.in_h * p.in_w * p.channels);
  fill(g_input);
  const int32_t count = p.batch * p.out_h * p.out_w * p.channels;
  mcugen::max_pool2d_s8_scalar(p, input, g_expected.make(count));
  VARIANT(max_pool2d_s8)(p, input, g_output.make(count));
  compare("max_pool2d_s8", call, {}, &p.batch);
}

void mul(long call) {
  mcugen::MulS8Params p{};
  p.a_zero_point = one_in(8) ? random_int(-100'000, 100'000) : zero_point();
  p.b_zero_point = zero_point();
  p.output_zero_point = zero_point();
  p.output_multiplier = static_cast<int32_t>((1u << 30) | (random_word() << 6));
  p.output_shift = one_in(4) ? random_int(-62, 3) : -random_int(0, 9);
  if (one_in(8)) {
    p.output_multiplier = one_in(2) ? 1 << 30 : random_int(-1000, 1000);
  }
  const int32_t count = random_int(1, 200);
  const int8_t* const a = g_input.make(count);
  const int8_t* const b = g_weights.make(count);
  fill(g_input);
  fill(g_weights);
  const int32_t a_step = one_in(6) ? 0 : 1;
  const int32_t b_step = one_in(6) ? 0 : 1;
  mcugen::mul_s8_scalar(p, count, a, a_step, b, b_step, g_expected.make(count));
  VARIANT(mul_s8)(p, count, a, a_step, b, b_step, g_output.make(count));
  const int32_t shape[16] = {p.a_zero_point, p.b_zero_point, p.output_multiplier, p.output_shift};
  compare("mul_s8", call, {}, shape);
}

#if defined(__ARM_FEATURE_DSP)
void limit(long call) {
  const int32_t count = random_int(1, 200);
  const int8_t* const a = g_input.make(4 * count);
  const int8_t* const b = g_weights.make(4 * count);
  fill(g_input);
  fill(g_weights);
  const int32_t a_step = one_in(3) ? 0 : one_in(8) ? random_int(2, 4) : 1;
  const int32_t b_step = one_in(3) ? 0 : one_in(8) ? random_int(2, 4) : 1;
  const int32_t shape[16] = {count, a_step, b_step};
  mcugen::minimum_s8_scalar(count, a, a_step, b, b_step, g_expected.make(count));
  VARIANT(minimum_s8)(count, a, a_step, b, b_step, g_output.make(count));
  compare("minimum_s8", call, {}, shape);
  mcugen::maximum_s8_scalar(count, a, a_step, b, b_step, g_expected.make(count));
  VARIANT(maximum_s8)(count, a, a_step, b, b_step, g_output.make(count));
  compare("maximum_s8", call, {}, shape);
  const int8_t min = static_cast<int8_t>(random_int(-128, 127));
  const int8_t max = static_cast<int8_t>(random_int(-128, 127));
  mcugen::clamp_s8_scalar(count, a, min, max, g_expected.make(count));
  VARIANT(clamp_s8)(count, a, min, max, g_output.make(count));
  compare("clamp_s8", call, {}, shape);
#if defined(__ARM_FEATURE_MVE)
  const int8_t* const table = g_weights.make(256);
  fill(g_weights);
  mcugen::lookup_s8_scalar(count, a, table, g_expected.make(count));
  mcugen::lookup_s8_mve(count, a, table, g_output.make(count));
  compare("lookup_s8", call, {}, shape);
#endif
}
#endif

#if defined(__ARM_FEATURE_DSP) && !defined(__ARM_FEATURE_MVE)
void packed_linear(long call) {
  mcugen::PackedLinearS8Params p{};
  p.batch = random_int(1, 2);
  p.in_ch = one_in(8) ? random_int(200, 700) : random_int(1, 70);
  p.out_ch = random_int(4, 21);
  p.input_zero_point = zero_point();
  p.activation_min = one_in(2) ? -128 : random_int(-128, 127);
  p.activation_max = one_in(2) ? 127 : random_int(p.activation_min, 127);
  p.exact = one_in(2);
  p.scratch = {g_scratch, static_cast<uint32_t>(random_int(0, 2000))};
  const int32_t words = mcugen::packed_linear_words(p.in_ch);
  const int32_t count = (p.out_ch + 3) / 4;
  int32_t* const groups = g_bias.make(count * words);
  for (int32_t i = 0; i < count * words; ++i) {
    groups[i] = static_cast<int32_t>(random_word() << 8 ^ random_word());
    const int32_t at = i % words - (words - 12);
    if (at >= 0 && at % 3 == 2) {
      groups[i] = random_int(0, 31);
    } else if (at < 0 && at >= 4 - words + 12 && one_in(2)) {
      groups[i] &= 0x00ff00ff;
    }
  }
  for (int32_t group = 0; group < count; ++group) {
    for (int32_t k = p.in_ch; k % 4 != 0; ++k) {  // zeros behind the last input
      for (int32_t half = 0; half < 2; ++half) {
        const int32_t at = group * words + 4 + (k & ~3) + (k & 1) * 2 + half;
        groups[at] &= (k & 2) != 0 ? 0xffff : ~0xffff;
      }
    }
  }
  const int8_t* const input = g_input.make(p.batch * p.in_ch);
  fill(g_input);
  const int32_t out = p.batch * p.out_ch;
  mcugen::packed_linear_s8_scalar(p, input, groups, g_expected.make(out));
  VARIANT(packed_linear_s8)(p, input, groups, g_output.make(out));
  compare("packed_linear_s8", call, p.scratch, &p.batch);
  if (const int8_t* const inside = input_in_scratch(p)) {
    VARIANT(packed_linear_s8)(p, inside, groups, g_output.make(out));
    compare("packed_linear_s8 in scratch", call, p.scratch, &p.batch);
  }
}

/// Taps that do not count have no weight.
void clear_filled(const mcugen::ConvRuns& runs, int32_t* weights) {
  const int32_t padded = mcugen::padded_run(runs.run);
  for (int32_t k = 0; k < runs.padded; ++k) {
    if (runs.nine ? k == 27 : k % padded >= runs.run) {
      for (int32_t i = 0; i < 2; ++i) {
        weights[(k & ~3) + 2 * (k & 1) + i] &= (k & 2) != 0 ? 0xffff : ~0xffff;
      }
    }
  }
}

/// Any words: small weights as a rule, so that something is left of results.
void packed_conv2d(long call) {
  mcugen::Conv2dS8Params p{};
  geometry(p);
  p.groups = 1;
  p.in_ch = one_in(20) ? random_int(60, 90) : one_in(6) ? 3 : random_int(1, 20);
  p.out_ch = random_int(1, 18);
  if (one_in(2)) {
    tiles(p);
    p.out_ch += p.out_ch % 2;
  }
  const bool winograd = mcugen::winograd_has_form(p) && p.out_ch % 2 == 0 && !one_in(8);
  const auto form = winograd ? mcugen::PackedConvForm::kWinograd2 : mcugen::PackedConvForm::kPairs;
  const mcugen::ConvRuns runs = mcugen::conv_runs(p);
  const int32_t words = winograd ? mcugen::packed_conv_winograd2_words(p.in_ch)
                                 : mcugen::packed_conv_pairs_words(runs.padded);
  const int32_t* unused;
  scaling(p, p.out_ch, 1, unused);
  const int32_t pairs = (p.out_ch + 1) / 2;
  int32_t* const all = g_bias.make(pairs * words);
  const bool small = !one_in(4);
  for (int32_t i = 0; i < pairs * words; ++i) {
    const int32_t bits = static_cast<int32_t>(random_word() << 8 ^ random_word());
    all[i] = small ? (bits >> 24) * 65536 + static_cast<int16_t>((bits & 0xff) - 128) : bits;
  }
  for (int32_t pair = 0; pair < pairs; ++pair) {
    int32_t* const at = all + pair * words;
    int32_t* const scales = at + words - (winograd ? 6 : 5);
    const bool one = one_in(2);
    for (int32_t i = 0; small && i < 2; ++i) {
      const int32_t step = winograd ? 3 : 2;
      scales[step * i] = static_cast<int32_t>((1u << 30) | (random_word() << 6));
      scales[step * i + 1] =
          one && !winograd ? random_int(-40'000, 40'000) : -(1 << random_int(12, 30));
    }
    if (winograd) {
      if (small) {
        scales[2] = scales[5] = zero_point();
      }
      continue;
    }
    const int32_t second = 2 * pair + 1 < p.out_ch ? 2 * pair + 1 : 2 * pair;
    at[0] = one_in(2) ? 2 * pair | second << 16 : second | 2 * pair << 16;
    at[1] = one ? random_int(1, 8) : 0;
    clear_filled(runs, at + 4);
    if (small) {
      at[2] = random_int(-20'000, 20'000);
      at[3] = random_int(-20'000, 20'000);
      scales[4] = zero_point();
    }
  }
  const int8_t* const input = g_input.make(p.batch * p.in_h * p.in_w * p.in_ch);
  fill(g_input);
  const int32_t count = p.batch * p.out_h * p.out_w * p.out_ch;
  mcugen::packed_conv2d_s8_scalar(form, p, input, all, g_expected.make(count));
  VARIANT(packed_conv2d_s8)(form, p, input, all, g_output.make(count));
  compare("packed_conv2d_s8", call, p.scratch, &p.batch);
  if (p.batch == 1) {
    const int8_t* over = input_over_output(p, 1);
    VARIANT(packed_conv2d_s8)(form, p, over, all, g_output.data);
    compare("packed_conv2d_s8 in place", call, p.scratch, &p.batch);
    over = input_over_output(p, 1);
    mcugen::packed_conv2d_s8_scalar(form, p, over, all, g_output.data);
    compare("packed_conv2d_s8_scalar in place", call, p.scratch, &p.batch);
  }
}

/// Any words, but that what stands twice among them is the same; small weights as a rule.
void packed_conv_depthwise(long call) {
  mcugen::PackedConvDepthwiseS8Params p{};
  mcugen::Conv2dS8Params& c = p.conv;
  geometry(c);
  c.groups = 1;
  c.in_ch = one_in(20) ? random_int(60, 90) : one_in(6) ? 3 : random_int(1, 20);
  c.out_ch = 2 * random_int(1, 5);
  if (one_in(2)) {  // one pixel of what is between for each of the input
    c.kernel_h = c.kernel_w = c.stride_h = c.stride_w = c.dilation_h = c.dilation_w = 1;
    c.pad_top = c.pad_left = 0;
    c.in_ch = one_in(3) ? random_int(1, 20) : 8 * random_int(1, 4);
    c.in_h = c.out_h = random_int(1, 13);
    c.in_w = c.out_w = random_int(2, one_in(4) ? 62 : 26);
    if (one_in(2)) {
      const int32_t width = c.in_w;
      c.in_w = c.out_w = c.in_h;
      c.in_h = c.out_h = width;
    }
  }
  p.stride = random_int(1, 2);
  p.pad_top = random_int(0, 1);
  p.pad_left = random_int(0, 1);
  p.turned = one_in(2);
  const int32_t most_h = c.out_h + 2 * p.pad_top - 3;
  const int32_t most_w = c.out_w + 2 * p.pad_left - 3;
  if (most_h < 0 || most_w < 0) {
    return;
  }
  p.out_h = most_h / p.stride + 1;
  p.out_w = most_w / p.stride + 1;
  const int32_t* unused;
  scaling(c, c.out_ch, 1, unused);
  const mcugen::ConvRuns runs = mcugen::conv_runs(c);
  const int32_t words = mcugen::packed_conv_depthwise_words(runs.padded);
  const int32_t pairs = c.out_ch / 2;
  int32_t* const all = g_bias.make(pairs * words);
  const bool small = !one_in(4);
  for (int32_t i = 0; i < pairs * words; ++i) {
    const int32_t bits = static_cast<int32_t>(random_word() << 8 ^ random_word());
    all[i] = small ? (bits >> 24) * 65536 + static_cast<int16_t>((bits & 0xff) - 128) : bits;
  }
  for (int32_t pair = 0; pair < pairs; ++pair) {
    int32_t* const at = all + pair * words;
    clear_filled(runs, at + 2);
    int32_t* const own = at + 2 + runs.padded;
    for (int32_t i = 0; i < 2; ++i) {
      for (int32_t row = 0; row < 3; ++row) {  // weight 1 of a row stands in two words
        int32_t* const taps = own + 4 + 9 * i + 2 * row;
        taps[1] = (taps[1] & ~0xffff) | ((taps[0] >> 16) & 0xffff);
      }
      if (small) {
        at[i] = random_int(-20'000, 20'000);
        own[4 + 9 * i + 6] = random_int(-20'000, 20'000);
        for (const int32_t scales : {2 * i, 4 + 9 * i + 7}) {
          own[scales] = static_cast<int32_t>((1u << 30) | (random_word() << 6));
          own[scales + 1] = random_int(-300'000, 900'000);
        }
      }
    }
  }
  const int8_t* const input = g_input.make(c.batch * c.in_h * c.in_w * c.in_ch);
  fill(g_input);
  const int32_t count = c.batch * p.out_h * p.out_w * c.out_ch;
  const uint32_t least = mcugen::packed_conv_depthwise_s8_scratch(p, 1);
  g_planes += least != 0 && least <= c.scratch.bytes;
  mcugen::packed_conv_depthwise_s8_scalar(p, input, all, g_expected.make(count));
  VARIANT(packed_conv_depthwise_s8)(p, input, all, g_output.make(count));
  compare("packed_conv_depthwise_s8", call, c.scratch, &c.batch);
}

/// Where winograd4_s8.h has the weights of channel `c` of a pair, for input channel k.
int32_t& winograd4_word(int32_t* pair, int32_t in_ch, int32_t row, int32_t column, int32_t c,
                        int32_t k) {
  constexpr int32_t kPlace[6] = {2, 3, 4, 0, 1, 5};
  return pair[(6 * column + kPlace[row]) * in_ch + (k & ~3) + 2 * c + (k & 1)];
}

/// Transforms the weights of an output channel, and what its sums are rescaled with.
/// @param[in] bits 2^bits times a sum fits into 32 bits.
void winograd4_channel(const mcugen::Conv2dS8Params& p, const int8_t* weights, int32_t start,
                       int32_t multiplier, int32_t bits, int32_t c, int32_t* pair) {
  constexpr int32_t kG[6][3] = {{6, 0, 0}, {-4, -4, -4}, {-4, 4, -4},
                                {1, 2, 4}, {1, -2, 4},   {0, 0, 6}};
  uint32_t seen[4] = {};  // by the outputs (2, 2), (2, 3), (3, 2), (3, 3) of what is added
  for (int32_t k = 0; k < p.in_ch; ++k) {
    for (int32_t at = 0; at < 36; ++at) {
      int32_t sum = 0;
      for (int32_t tap = 0; tap < 9; ++tap) {
        sum += kG[at / 6][tap / 3] * kG[at % 6][tap % 3] * weights[tap * p.in_ch + k];
      }
      int32_t& word = winograd4_word(pair, p.in_ch, at / 6, at % 6, c, k);
      const uint32_t half = static_cast<uint16_t>(sum);
      word = static_cast<int32_t>((k & 2) == 0 ? half : static_cast<uint32_t>(word) | half << 16);
    }
    for (int32_t at = 0; at < 4 && (k & 2) == 0; ++at) {
      for (int32_t y = 1 + (at < 2); y < 3; ++y) {
        for (int32_t x = 1 + (at % 2 == 0); x < 3; ++x) {
          seen[at] += static_cast<uint32_t>(0x3300 * weights[(3 * y + x) * p.in_ch + k]);
        }
      }
    }
  }
  int32_t* const scaling = pair + 36 * p.in_ch;
  const uint32_t first = static_cast<uint32_t>(start);
  scaling[2 * c] = static_cast<int32_t>(0x38e38e39u << (bits - 6));
  scaling[2 * c + 1] = static_cast<int32_t>(first << bits);
  for (int32_t at = 0; at < 4; ++at) {
    scaling[4 + at / 2 * 4 + 2 * c + at % 2] = static_cast<int32_t>((first - seen[at]) << bits);
  }
  scaling[12 + 2 * c] = multiplier;
  scaling[13 + 2 * c] = (1 << (bits - 2)) + (1 << 15) + p.output_zero_point * (1 << 16);
  scaling[16 + 2 * c] = p.activation_min < p.output_zero_point ? 1 << (bits - 1) : 0;
}

void winograd4(long call) {
  mcugen::Conv2dS8Params p{};
  p.batch = one_in(4) ? 2 : 1;
  p.kernel_h = p.kernel_w = 3;
  p.groups = p.stride_h = p.stride_w = p.dilation_h = p.dilation_w = 1;
  p.in_ch = 4 * (one_in(6) ? random_int(5, 16) : random_int(1, 4));
  p.out_ch = 2 * random_int(1, 5);
  p.out_h = random_int(1, 9);
  p.out_w = one_in(3) ? 8 * random_int(1, 3) : random_int(1, 20);
  p.pad_top = random_int(0, 2);
  p.pad_left = random_int(0, 2);
  p.in_h = p.out_h + 2 - p.pad_top - random_int(one_in(8) ? -3 : 0, 2);
  p.in_w = p.out_w + 2 - p.pad_left - random_int(one_in(8) ? -3 : 0, 2);
  p.in_h = p.in_h < 1 ? 1 : p.in_h;
  p.in_w = p.in_w < 1 ? 1 : p.in_w;
  const int8_t* const input = g_input.make(p.batch * p.in_h * p.in_w * p.in_ch);
  int8_t* const weights = g_weights.make(p.out_ch * 9 * p.in_ch);
  fill(g_input);
  fill(g_weights);
  const int32_t* bias;
  scaling(p, p.out_ch, 9 * p.in_ch, bias);
  const int32_t words = mcugen::winograd4_words(p.in_ch);
  static int32_t pairs[5 * (36 * 64 + 20)];
  for (int32_t c = 0; c < p.out_ch; ++c) {
    int32_t sum = 0, below = 0, above = 0;
    for (int32_t i = 0; i < 9 * p.in_ch; ++i) {
      const int32_t weight = weights[c * 9 * p.in_ch + i];
      const int32_t low = weight * (-128 - p.input_zero_point);
      const int32_t high = weight * (127 - p.input_zero_point);
      sum += weight;
      below += low < high ? low : high;
      above += low < high ? high : low;
    }
    // Biases may be far too large, and shifts of the wrong kind, for this form.
    int32_t& own = g_bias.data[c];
    own %= 100'000;
    const int32_t from = bias == nullptr ? 0 : own;
    const int32_t most = above + from > -(below + from) ? above + from : -(below + from);
    int32_t bits = 16;
    while (bits > 6 && (static_cast<int64_t>(most) << bits) >= INT32_MAX) {
      --bits;
    }
    bits = random_int(6, bits);
    g_shifts.data[c] = bits - 17;
    const int32_t start = from - (p.input_zero_point + 128) * sum;
    winograd4_channel(p, weights + c * 9 * p.in_ch, start, p.multipliers[c], bits, c % 2,
                      pairs + c / 2 * words);
  }
  const uint32_t need = mcugen::winograd4_s8_scratch(p);
  p.scratch.bytes = need <= sizeof g_scratch && !one_in(10) ? need : need - 1;
  const int32_t count = p.batch * p.out_h * p.out_w * p.out_ch;
  mcugen::conv2d_s8_scalar(p, input, weights, bias, g_expected.make(count));
  // Sometimes words that no weights gave: all sums wrap. The scalar form takes its time.
  const bool any = one_in(12);
  if (any) {
    for (int32_t i = 0; i < p.out_ch / 2 * words; ++i) {
      pairs[i] = static_cast<int32_t>(random_word() << 8 ^ random_word());
    }
    mcugen::winograd4_s8_scalar(p, input, pairs, g_expected.data);
  } else if (one_in(12)) {
    mcugen::winograd4_s8_scalar(p, input, pairs, g_output.make(count));
    compare("winograd4_s8_scalar", call, {}, &p.batch);
  }
  const bool fits = mcugen::winograd4_s8(p, input, pairs, g_output.make(count));
  if (fits) {
    ++g_winograd4;
    compare("winograd4_s8", call, p.scratch, &p.batch);
  }
  if (fits && !any && p.batch == 1) {
    const int8_t* over = input_over_output(p, 1);
    mcugen::winograd4_s8(p, over, pairs, g_output.data);
    compare("winograd4_s8 in place", call, p.scratch, &p.batch);
    if (one_in(12)) {
      over = input_over_output(p, 1);
      mcugen::winograd4_s8_scalar(p, over, pairs, g_output.data);
      compare("winograd4_s8_scalar in place", call, {}, &p.batch);
    }
  }
}

void packed_linear_5x4(long call) {
  mcugen::PackedLinearS8Params p{};
  p.batch = random_int(1, 2);
  p.in_ch = one_in(8) ? random_int(200, 700) : random_int(1, 70);
  p.out_ch = random_int(5, 21);
  p.input_zero_point = zero_point();
  p.activation_min = one_in(2) ? -128 : random_int(-128, 127);
  p.activation_max = one_in(2) ? 127 : random_int(p.activation_min, 127);
  p.exact = one_in(2);
  p.scratch = {g_scratch, static_cast<uint32_t>(random_int(0, 2000))};
  const int32_t words = mcugen::packed_linear_5x4_words(p.in_ch);
  const int32_t count = (p.out_ch + 4) / 5;
  int32_t* const groups = g_bias.make(count * words);
  for (int32_t i = 0; i < count * words; ++i) {
    groups[i] = static_cast<int32_t>(random_word() << 8 ^ random_word());
    const int32_t at = i % words - (words - 15);
    if (at >= 0 && at % 3 == 2) {
      groups[i] = random_int(0, 31);
    }
  }
  for (int32_t group = 0; group < count; ++group) {
    for (int32_t k = p.in_ch; k % 4 != 0; ++k) {  // zeros behind the last input
      for (int32_t row = 0; row < 5; ++row) {
        groups[group * words + 5 + (k / 4 * 2 + k % 2) * 5 + row] &=
            (k & 2) != 0 ? 0xffff : ~0xffff;
      }
    }
  }
  const int8_t* const input = g_input.make(p.batch * p.in_ch);
  fill(g_input);
  const int32_t out = p.batch * p.out_ch;
  mcugen::packed_linear_5x4_s8_scalar(p, input, groups, g_expected.make(out));
  VARIANT(packed_linear_5x4_s8)(p, input, groups, g_output.make(out));
  compare("packed_linear_5x4_s8", call, p.scratch, &p.batch);
  if (const int8_t* const inside = input_in_scratch(p)) {
    VARIANT(packed_linear_5x4_s8)(p, inside, groups, g_output.make(out));
    compare("packed_linear_5x4_s8 in scratch", call, p.scratch, &p.batch);
  }
}
#endif

#if defined(__ARM_FEATURE_DSP) || defined(__ARM_FEATURE_MVE)
void scaled_add(long call) {
  mcugen::ScaledAddS8Params p{};
  p.a_multiplier = random_int(-(1 << 22), 1 << 22);
  p.b_multiplier = random_int(-(1 << 22), 1 << 22);
  p.offset = static_cast<int32_t>(random_word() << 8);
  p.shift = random_int(0, 31);
  p.activation_min = one_in(2) ? -128 : random_int(-128, 127);
  p.activation_max = one_in(2) ? 127 : random_int(p.activation_min, 127);
  const int32_t count = random_int(1, 400);
  const int8_t* const a = g_input.make(count);
  const int8_t* const b = g_weights.make(count);
  fill(g_input);
  fill(g_weights);
  mcugen::scaled_add_s8_scalar(p, count, a, b, g_expected.make(count));
  VARIANT(scaled_add_s8)(p, count, a, b, g_output.make(count));
  const int32_t shape[16] = {p.a_multiplier, p.b_multiplier, p.offset, p.shift};
  compare("scaled_add_s8", call, {}, shape);
}
#endif

#if !defined(__ARM_FEATURE_DSP)
#define BLOCKS 4
#define BLOCKS_VARIANT(name) packed_linear_4x4_##name
#define BLOCKS_SPECIAL mcugen::packed_linear_4x4_s8_mla
#elif defined(__ARM_FEATURE_MVE)
#define BLOCKS 8
#define BLOCKS_VARIANT(name) packed_linear_8x16_##name
#define BLOCKS_SPECIAL mcugen::packed_linear_8x16_s8_mve
#endif

#if defined(BLOCKS)
void packed_linear_blocks(long call) {
  mcugen::PackedLinearBlocksS8Params p{};
  p.batch = random_int(1, 2);
  p.in_ch = one_in(8) ? random_int(200, 700) : random_int(1, 70);
  p.out_ch = random_int(1, 21);
  p.output_zero_point = zero_point();
  p.activation_min = one_in(2) ? -128 : random_int(-128, 127);
  p.activation_max = one_in(2) ? 127 : random_int(p.activation_min, 127);
  p.scratch = {g_scratch, static_cast<uint32_t>(random_int(0, 2000))};
  const int32_t words = mcugen::BLOCKS_VARIANT(words)(p.in_ch);
  const int32_t count = (p.out_ch + BLOCKS - 1) / BLOCKS;
  int32_t* const groups = g_bias.make(count * words);
  const int32_t kind = random_int(0, 3);
  for (int32_t i = 0; i < count * words; ++i) {
    const int32_t at = i % words;
    groups[i] = static_cast<int32_t>(random_word() << 8 ^ random_word());
    if (at < BLOCKS) {
      groups[i] >>= 8;
    } else if (at >= words - BLOCKS) {
      groups[i] = -random_int(one_in(4) ? 1 : 5, one_in(4) ? 31 : 14);
    } else if (at >= words - 2 * BLOCKS) {
      groups[i] |= 1 << 30;
    } else if (kind == 0) {
      groups[i] = BLOCKS == 8 ? static_cast<int32_t>(0x80808080u) : 0;  // all are -128
    }
  }
  const int8_t* const input = g_input.make(p.batch * p.in_ch);
  fill(g_input);
  const int32_t out = p.batch * p.out_ch;
  mcugen::BLOCKS_VARIANT(s8_scalar)(p, input, groups, g_expected.make(out));
  BLOCKS_SPECIAL(p, input, groups, g_output.make(out));
  compare("packed_linear_blocks_s8", call, p.scratch, &p.batch);
  if (const int8_t* const inside = input_in_scratch(p)) {
    BLOCKS_SPECIAL(p, inside, groups, g_output.make(out));
    compare("packed_linear_blocks_s8 in scratch", call, p.scratch, &p.batch);
  }
}
#endif

}  // namespace

void mcugen::panic(const char*, int, const char* message) {
  puts(message);
  exit(3);
}

int main() {
  memset(g_scratch, 0xa5, sizeof g_scratch);
  for (long call = 0; call < CALLS && g_different < 10; ++call) {
    conv2d(call);
    depthwise_conv2d(call);
    linear(call);
    add(call);
    for (int32_t i = 0; i < 100; ++i) {
      high_mul(call);
    }
    avg_pool2d(call);
#if defined(BLOCKS)
    packed_linear_blocks(call);
#endif
#if defined(__ARM_FEATURE_DSP)
    scaled_add(call);
#endif
#if defined(__ARM_FEATURE_DSP) && !defined(__ARM_FEATURE_MVE)
    packed_linear(call);
    packed_conv2d(call);
    packed_conv_depthwise(call);
    winograd4(call);
    packed_linear_5x4(call);
#endif
  }
  for (long call = 0; call < CALLS && g_different < 10; ++call) {
    transpose_conv2d(call);
    mul(call);
    max_pool2d(call);
#if defined(__ARM_FEATURE_DSP)
    limit(call);
#endif
  }
  printf(
      "%d different, %ld calls, %ld with scratch, %ld by Winograd, %ld by its F(4x4), %ld over "
      "planes\n",
      g_different, static_cast<long>(CALLS), g_fast, g_winograd, g_winograd4, g_planes);
  return g_different == 0 ? 0 : 1;
}
