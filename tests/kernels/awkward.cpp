// SPDX-License-Identifier: BSD-3-Clause
// What layers of awkward shapes cost by the kernels of this core and by the scalar ones: bare
// metal, under QEMU with -icount shift=0, where an instruction is a nanosecond.
//
// Built with -DHZ=n, SysTick's clock. Prints a line per layer and size of working memory:
// name|bytes|instructions scalar|instructions of the variant|bytes that differ.

#include <kernels/select.h>

#include <cstdint>
#include <cstdio>
#include <cstring>
#include <initializer_list>

namespace {

volatile uint32_t* const kSysTick = reinterpret_cast<volatile uint32_t*>(0xE000E010);

constexpr uint32_t kScratch[] = {0, 300, 1'000, 4'000, 30'000};
constexpr int32_t kMost = 40'000;

int8_t g_input[kMost], g_weights[kMost], g_expected[kMost], g_output[kMost];
int32_t g_bias[256], g_multipliers[256], g_shifts[256];
alignas(8) uint8_t g_scratch[30'000];

struct Layer {
  const char* name;
  int32_t in_h, in_w, in_ch, out_ch;
  int32_t kernel_h, kernel_w, stride_h, stride_w, pad_h, pad_w, dilation, groups;
};

// Of a depthwise convolution, out_ch is a multiple of in_ch = groups.
constexpr Layer kConvolutions[] = {
    {"7 channels, odd size", 13, 11, 7, 9, 3, 3, 1, 1, 1, 1, 1, 1},
    {"5x1", 17, 13, 8, 8, 5, 1, 1, 1, 2, 0, 1, 1},
    {"1x5", 13, 17, 8, 8, 1, 5, 1, 1, 0, 2, 1, 1},
    {"stride 3", 19, 19, 6, 10, 3, 3, 3, 3, 1, 1, 1, 1},
    {"stride 3x1", 19, 19, 6, 10, 3, 3, 3, 1, 1, 1, 1, 1},
    {"dilation 2", 15, 15, 8, 8, 3, 3, 1, 1, 2, 2, 2, 1},
    {"dilation 3 with stride 2", 15, 15, 5, 6, 3, 3, 2, 2, 3, 3, 3, 1},
    {"2 groups of 7", 11, 11, 14, 14, 3, 3, 1, 1, 1, 1, 1, 2},
    {"4 groups of 3 to 1", 11, 11, 12, 4, 3, 3, 1, 1, 1, 1, 1, 4},
    {"one pixel, 1x1", 1, 1, 100, 50, 1, 1, 1, 1, 0, 0, 1, 1},
    {"three pixels, 1x1", 1, 3, 33, 17, 1, 1, 1, 1, 0, 0, 1, 1},
    {"pointwise with stride 2", 13, 13, 9, 12, 1, 1, 2, 2, 0, 0, 1, 1},
    {"signal, 9 taps", 1, 100, 6, 12, 1, 9, 1, 1, 0, 4, 1, 1},
    {"signal of 1 channel, 3 taps", 1, 200, 1, 8, 1, 3, 1, 1, 0, 1, 1, 1},
    {"signal, 7 taps, stride 4", 1, 128, 3, 16, 1, 7, 4, 4, 0, 3, 1, 1},
    {"signal, dilation 4", 1, 64, 8, 8, 1, 3, 1, 1, 0, 4, 4, 1},
    {"one output channel", 12, 12, 8, 1, 3, 3, 1, 1, 1, 1, 1, 1},
    {"one input channel", 14, 14, 1, 6, 5, 5, 1, 1, 2, 2, 1, 1},
    {"even kernel", 12, 12, 5, 6, 4, 4, 2, 2, 1, 1, 1, 1},
    {"kernel as large as the image", 6, 6, 10, 11, 6, 6, 1, 1, 0, 0, 1, 1},
    {"image of two rows in its border", 2, 1, 3, 4, 5, 5, 1, 1, 9, 12, 3, 1},
    {"image of one column in its border, groups", 13, 1, 18, 6, 5, 5, 1, 1, 0, 4, 1, 3},
    {"kernel larger than the image, groups", 4, 3, 24, 8, 5, 5, 1, 3, 3, 3, 1, 4},
    {"signal as an image, 3 taps of 9", 1, 50, 3, 3, 3, 3, 3, 3, 4, 2, 2, 1},
    {"one pixel of two taps", 1, 2, 2, 24, 1, 1, 1, 3, 0, 0, 1, 1},
    {"one pixel of a group of one", 1, 1, 3, 24, 3, 3, 1, 1, 2, 1, 1, 3},
    {"signal, 3x3 of 33 channels, few at once", 1, 24, 33, 16, 3, 3, 3, 2, 1, 3, 1, 1},
    {"groups of 17 to 2", 26, 1, 68, 8, 3, 3, 1, 1, 0, 1, 1, 4},
    {"groups of 7 to 4, 5x3", 1, 59, 28, 16, 5, 3, 1, 1, 2, 1, 1, 4},
    {"columns beside the image", 33, 1, 24, 2, 2, 1, 2, 2, 2, 1, 1, 1},
    {"windows beside the image", 19, 1, 14, 24, 9, 1, 3, 2, 4, 1, 1, 1},
    {"few pixels, many channels of groups", 1, 2, 6, 192, 1, 1, 3, 2, 1, 0, 2, 3},
    {"three pixels of 256 channels", 8, 1, 36, 256, 1, 1, 3, 3, 0, 1, 2, 4},
    {"signal of 3 rows of taps outside", 1, 5, 17, 9, 3, 3, 1, 1, 1, 1, 1, 1},
    {"3x3 with stride 3 of 5 pixels", 3, 2, 7, 64, 3, 3, 3, 3, 1, 1, 1, 1},
    {"one pixel to one channel", 1, 1, 17, 1, 1, 1, 1, 1, 0, 0, 1, 1},
    {"no two channels, stride 2", 14, 6, 33, 1, 1, 1, 2, 2, 0, 0, 1, 1},
    {"border three times the image", 2, 3, 8, 3, 3, 3, 1, 1, 3, 3, 3, 1},
};
constexpr Layer kDepthwise[] = {
    {"7 channels, odd size", 13, 11, 7, 7, 3, 3, 1, 1, 1, 1, 1, 7},
    {"multiplier 3", 11, 11, 6, 18, 3, 3, 1, 1, 1, 1, 1, 6},
    {"5x5", 12, 12, 8, 8, 5, 5, 1, 1, 2, 2, 1, 8},
    {"5x1", 15, 9, 8, 8, 5, 1, 1, 1, 2, 0, 1, 8},
    {"stride 2, odd size", 15, 15, 8, 8, 3, 3, 2, 2, 1, 1, 1, 8},
    {"stride 3", 19, 19, 8, 8, 3, 3, 3, 3, 1, 1, 1, 8},
    {"dilation 2", 15, 15, 8, 8, 3, 3, 1, 1, 2, 2, 2, 8},
    {"one pixel, 1x1", 1, 1, 40, 40, 1, 1, 1, 1, 0, 0, 1, 40},
    {"two pixels of 3x4", 3, 4, 30, 30, 3, 3, 1, 1, 0, 0, 1, 30},
    {"2x2 pixels of 5x5", 5, 5, 16, 16, 3, 3, 2, 2, 0, 0, 1, 16},
    {"2x2 of 4x4", 4, 4, 16, 16, 3, 3, 1, 1, 0, 0, 1, 16},
    {"one pixel of 4x4", 4, 4, 16, 16, 4, 4, 1, 1, 0, 0, 1, 16},
    {"3x3 pixels", 3, 3, 30, 30, 3, 3, 1, 1, 1, 1, 1, 30},
    {"signal, 5 taps", 1, 50, 12, 12, 1, 5, 1, 1, 0, 2, 1, 12},
    {"one pixel of 4x2, multiplier 2", 4, 2, 16, 32, 3, 3, 2, 2, 0, 1, 1, 16},
    {"signal, 9 taps, multiplier 2", 1, 50, 5, 10, 1, 9, 2, 2, 0, 4, 1, 5},
    {"one channel, multiplier 3, 5x1", 1, 74, 1, 3, 5, 1, 1, 1, 2, 0, 1, 1},
    {"one channel, multiplier 2, 7x2", 15, 16, 1, 2, 7, 2, 2, 2, 4, 0, 3, 1},
    {"one channel, multiplier 3, 2x2 pixels", 2, 2, 1, 3, 3, 3, 2, 2, 1, 1, 1, 1},
    {"one channel, 7x7", 16, 10, 1, 1, 7, 7, 1, 1, 0, 0, 1, 1},
    {"one channel, one column", 25, 1, 1, 2, 3, 3, 2, 2, 1, 1, 1, 1},
    {"one column of 32, stride 3x2", 22, 1, 32, 32, 3, 3, 3, 2, 1, 1, 1, 32},
    {"stride 1x3 of a row, multiplier 2", 1, 15, 7, 14, 3, 3, 1, 3, 3, 0, 1, 7},
    {"three rows of 32, multiplier 2", 3, 1, 32, 64, 3, 3, 1, 1, 2, 1, 1, 32},
    {"5 channels, 1x1", 11, 6, 5, 5, 1, 1, 1, 1, 0, 0, 1, 5},
    {"5 channels, signal as an image", 1, 77, 5, 5, 3, 3, 1, 1, 1, 1, 1, 5},
    {"3 taps of 14, stride 1x3", 15, 10, 14, 14, 3, 1, 1, 3, 1, 0, 1, 14},
};
constexpr Layer kTransposed[] = {
    {"1x1 to one channel", 21, 1, 5, 1, 1, 1, 1, 1, 0, 0, 1, 1},
    {"1x1 to two channels", 15, 16, 4, 2, 1, 1, 1, 1, 0, 0, 1, 1},
    {"1x1 of one channel to three", 9, 9, 1, 3, 1, 1, 1, 1, 0, 0, 1, 1},
    {"1x1 with stride 3", 15, 6, 33, 1, 1, 1, 3, 3, 0, 0, 1, 1},
    {"2x2 of 7 channels to one", 9, 8, 7, 1, 2, 2, 3, 3, 0, 0, 1, 1},
    {"3x3 of 16 channels", 6, 6, 16, 8, 3, 3, 2, 2, 1, 1, 1, 1},
    {"3x3 to one channel", 8, 8, 9, 1, 3, 3, 2, 2, 1, 1, 1, 1},
};

constexpr struct {
  int32_t batch, in_ch, out_ch, weights_zero_point;
  bool per_channel;
} kLinear[] = {
    {1, 4, 4, 0, true},    {1, 5, 6, 0, true},   {3, 6, 9, 102, true},  {1, 8, 5, 0, false},
    {1, 15, 5, 0, true},   {5, 19, 5, 4, true},  {1, 7, 26, -55, true}, {1, 6, 41, -78, true},
    {4, 4, 6, -108, true}, {1, 20, 9, 0, false}, {1, 64, 12, 0, true},  {1, 100, 3, 0, true},
};

int32_t outputs(int32_t in, int32_t pad, int32_t dilation, int32_t kernel, int32_t stride) {
  return (in + 2 * pad - (kernel - 1) * dilation - 1) / stride + 1;
}

template <typename Params>
Params params_of(const Layer& l) {
  Params p{};
  p.batch = 1;
  p.in_h = l.in_h;
  p.in_w = l.in_w;
  p.in_ch = l.in_ch;
  p.out_h = outputs(l.in_h, l.pad_h, l.dilation, l.kernel_h, l.stride_h);
  p.out_w = outputs(l.in_w, l.pad_w, l.dilation, l.kernel_w, l.stride_w);
  p.out_ch = l.out_ch;
  p.kernel_h = l.kernel_h;
  p.kernel_w = l.kernel_w;
  p.groups = l.groups;
  p.stride_h = l.stride_h;
  p.stride_w = l.stride_w;
  p.pad_top = l.pad_h;
  p.pad_left = l.pad_w;
  p.dilation_h = p.dilation_w = l.dilation;
  p.input_zero_point = -3;
  p.output_zero_point = -128;  // as behind ReLU
  p.activation_min = -128;
  p.activation_max = 127;
  p.multipliers = g_multipliers;
  p.shifts = g_shifts;
  return p;
}

/// Instructions of a call. SysTick counts down at HZ, 24 bits.
template <typename Call>
uint32_t count(Call call) {
  const uint32_t start = kSysTick[2];
  call();
  const uint32_t ticks = (start - kSysTick[2]) & 0xffffff;
  return static_cast<uint32_t>(ticks * uint64_t{1'000'000'000} / HZ);
}

template <typename Params, typename Scalar, typename Variant>
void compare(const char* kind, const Layer& layer, Params p, Scalar scalar, Variant variant) {
  for (const uint32_t bytes : kScratch) {
    p.scratch = {g_scratch, bytes};
    memset(g_output, 0x5a, sizeof g_output);
    const uint32_t slow = count([&] { scalar(p, g_input, g_weights, g_bias, g_expected); });
    const uint32_t fast = count([&] { variant(p, g_input, g_weights, g_bias, g_output); });
    int32_t different = 0;
    for (int32_t i = 0; i < p.out_h * p.out_w * p.out_ch; ++i) {
      different += g_expected[i] != g_output[i];
    }
    printf("%s, %s|%lu|%lu|%lu|%ld\n", kind, layer.name, static_cast<unsigned long>(bytes),
           static_cast<unsigned long>(slow), static_cast<unsigned long>(fast),
           static_cast<long>(different));
  }
}

/// The sizes of what a layer of `p` makes, of a transposed convolution.
void transpose(const Layer& l, mcugen::Conv2dS8Params& p) {
  p.out_h = (l.in_h - 1) * l.stride_h - 2 * l.pad_h + l.dilation * (l.kernel_h - 1) + 1;
  p.out_w = (l.in_w - 1) * l.stride_w - 2 * l.pad_w + l.dilation * (l.kernel_w - 1) + 1;
}

void linears() {
  int64_t multipliers[64], shifts[64];
  for (int32_t i = 0; i < 64; ++i) {
    multipliers[i] = g_multipliers[i];
    shifts[i] = g_shifts[i];
  }
  for (const auto& each : kLinear) {
    mcugen::LinearS8Params p{};
    p.batch = each.batch;
    p.in_ch = each.in_ch;
    p.out_ch = each.out_ch;
    p.input_zero_point = -3;
    p.weights_zero_point = each.weights_zero_point;
    p.activation_min = -128;
    p.activation_max = 127;
    p.per_channel = each.per_channel;
    p.multipliers = multipliers;
    p.shifts = shifts;
    const uint32_t slow =
        count([&] { mcugen::linear_s8_scalar(p, g_input, g_weights, g_bias, g_expected); });
    const uint32_t fast =
        count([&] { mcugen::linear_s8(p, g_input, g_weights, g_bias, g_output); });
    printf("linear_s8, %ldx%ld to %ld|0|%lu|%lu|%d\n", static_cast<long>(p.batch),
           static_cast<long>(p.in_ch), static_cast<long>(p.out_ch),
           static_cast<unsigned long>(slow), static_cast<unsigned long>(fast),
           memcmp(g_expected, g_output, static_cast<size_t>(p.batch * p.out_ch)) != 0);
  }
}

/// Pools of few channels whose windows leave pixels out, are as wide as the image, or read one.
void odd_pools() {
  constexpr struct {
    int32_t in_h, in_w, channels, kernel_h, kernel_w, stride;
  } kPools[] = {{8, 11, 7, 5, 1, 3},  {12, 22, 4, 5, 2, 3}, {7, 21, 7, 7, 21, 3},
                {8, 12, 2, 8, 12, 1}, {13, 5, 1, 1, 3, 2},  {15, 21, 5, 1, 1, 2},
                {9, 8, 5, 1, 1, 1},   {14, 11, 5, 1, 5, 1}, {8, 14, 17, 1, 1, 2}};
  for (const auto& each : kPools) {
    mcugen::Pool2dS8Params p{};
    p.batch = 1;
    p.in_h = each.in_h;
    p.in_w = each.in_w;
    p.channels = each.channels;
    p.kernel_h = each.kernel_h;
    p.kernel_w = each.kernel_w;
    p.stride_h = p.stride_w = each.stride;
    p.out_h = outputs(p.in_h, 0, 1, p.kernel_h, each.stride);
    p.out_w = outputs(p.in_w, 0, 1, p.kernel_w, each.stride);
    p.activation_min = -128;
    p.activation_max = 127;
    for (const bool average : {false, true}) {
      const uint32_t slow = count([&] {
        average ? mcugen::avg_pool2d_s8_scalar(p, g_input, g_expected)
                : mcugen::max_pool2d_s8_scalar(p, g_input, g_expected);
      });
      const uint32_t fast = count([&] {
        average ? mcugen::avg_pool2d_s8(p, g_input, g_output)
                : mcugen::max_pool2d_s8(p, g_input, g_output);
      });
      printf(
          "%s_pool2d_s8, %ldx%ld of %ldx%ldx%ld|0|%lu|%lu|%d\n", average ? "avg" : "max",
          static_cast<long>(p.kernel_h), static_cast<long>(p.kernel_w), static_cast<long>(p.in_h),
          static_cast<long>(p.in_w), static_cast<long>(p.channels),
          static_cast<unsigned long>(slow), static_cast<unsigned long>(fast),
          memcmp(g_expected, g_output, static_cast<size_t>(p.out_h * p.out_w * p.channels)) != 0);
    }
  }
}

void pools() {
  for (const int32_t channels : {1, 3, 6, 9, 20}) {
    mcugen::Pool2dS8Params p{};
    p.batch = 1;
    p.in_h = p.in_w = 24;
    p.channels = channels;
    p.kernel_h = p.kernel_w = p.stride_h = p.stride_w = 2;
    p.out_h = p.out_w = 12;
    p.activation_min = -128;
    p.activation_max = 127;
    const uint32_t slow = count([&] { mcugen::max_pool2d_s8_scalar(p, g_input, g_expected); });
    const uint32_t fast = count([&] { mcugen::max_pool2d_s8(p, g_input, g_output); });
    const uint32_t most = slow / 3 * 2;  // windows of a few bytes must not get a loop each
    printf("max_pool2d_s8, %ld channels|0|%lu|%lu|%d\n", static_cast<long>(channels),
           static_cast<unsigned long>(most), static_cast<unsigned long>(fast),
           memcmp(g_expected, g_output, static_cast<size_t>(144 * channels)) != 0);
  }
}

}  // namespace

int main() {
  kSysTick[0] = 0;
  kSysTick[1] = 0xffffff;
  kSysTick[2] = 0;
  kSysTick[0] = 5;
  uint32_t random = 1;
  for (int32_t i = 0; i < kMost; ++i) {
    random = random * 1664525u + 1013904223u;
    g_input[i] = static_cast<int8_t>(random >> 24);
    g_weights[i] = static_cast<int8_t>(random >> 16);
  }
  for (int32_t i = 0; i < 256; ++i) {
    random = random * 1664525u + 1013904223u;
    g_bias[i] = static_cast<int32_t>(random >> 20) - 2048;
    g_multipliers[i] = static_cast<int32_t>((1u << 30) | (random >> 3));
    g_shifts[i] = -8 - static_cast<int32_t>(random >> 30);
  }
  for (const Layer& each : kConvolutions) {
    compare("conv2d_s8", each, params_of<mcugen::Conv2dS8Params>(each), mcugen::conv2d_s8_scalar,
            mcugen::conv2d_s8);
  }
  for (const Layer& each : kDepthwise) {
    auto p = params_of<mcugen::DepthwiseConv2dS8Params>(each);
    p.depth_multiplier = each.out_ch / each.in_ch;
    compare("depthwise_conv2d_s8", each, p, mcugen::depthwise_conv2d_s8_scalar,
            mcugen::depthwise_conv2d_s8);
  }
  for (const Layer& each : kTransposed) {
    auto p = params_of<mcugen::Conv2dS8Params>(each);
    transpose(each, p);
    compare("transpose_conv2d_s8", each, p, mcugen::transpose_conv2d_s8_scalar,
            mcugen::transpose_conv2d_s8);
  }
  linears();
  pools();
  odd_pools();
  return 0;
}
