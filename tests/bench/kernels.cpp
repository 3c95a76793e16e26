// SPDX-License-Identifier: BSD-3-Clause
// Instructions per output of the int8 kernels that operators call; bare metal, under QEMU with
// -icount shift=0, where an instruction is a nanosecond. kernels.py builds and runs it.
//
// Prints a line per case: name, case, outputs (multiply-accumulates where the case says so), and
// instructions.

#include <kernels/clamp_s8.h>
#include <kernels/select.h>

#include <cstdint>
#include <cstdio>
#include <initializer_list>

namespace {

volatile uint32_t* const kSysTick = reinterpret_cast<volatile uint32_t*>(0xE000E010);

int8_t g_a[70'000], g_b[70'000], g_out[140'000];
float g_real[20'000];
int32_t g_multipliers[64], g_shifts[64];

/// Prints what one call costs. SysTick counts down at HZ, 24 bits.
template <typename Call>
void measure(const char* name, const char* what, int32_t outputs, Call call) {
  call();  // the first one may differ by what is not initialized
  const uint32_t start = kSysTick[2];
  call();
  const uint32_t ticks = (start - kSysTick[2]) & 0xffffff;
  printf("%s|%s|%ld|%lu\n", name, what, static_cast<long>(outputs),
         static_cast<unsigned long>(ticks * static_cast<uint64_t>(1'000'000'000) / HZ));
}

void pools() {
  struct Case {
    const char* name;
    int32_t size, channels, kernel, stride, pad;
  };
  constexpr Case kCases[] = {{"2x2/2, 24x24x16", 24, 16, 2, 2, 0},
                             {"3x3/2 pad 1, 24x24x32", 24, 32, 3, 2, 1},
                             {"2x2/2, 28x28x6", 28, 6, 2, 2, 0},
                             {"2x2/2, 48x48x3", 48, 3, 2, 2, 0}};
  for (const Case& c : kCases) {
    mcugen::Pool2dS8Params p{};
    p.batch = 1;
    p.in_h = p.in_w = c.size;
    p.channels = c.channels;
    p.kernel_h = p.kernel_w = c.kernel;
    p.stride_h = p.stride_w = c.stride;
    p.pad_top = p.pad_left = c.pad;
    p.out_h = p.out_w = (c.size + 2 * c.pad - c.kernel) / c.stride + 1;
    p.activation_min = -128;
    p.activation_max = 127;
    measure("max_pool2d_s8", c.name, p.out_h * p.out_w * p.channels,
            [&] { mcugen::max_pool2d_s8(p, g_a, g_out); });
  }
}

void elementwise() {
  constexpr int32_t kCount = 20'000;
  mcugen::MulS8Params mul{-128, 3, -5, 1'500'000'000, -7};
  measure("mul_s8", "two tensors", kCount,
          [&] { mcugen::mul_s8(mul, kCount, g_a, 1, g_b, 1, g_out); });
  measure("mul_s8", "by a value", kCount,
          [&] { mcugen::mul_s8(mul, kCount, g_a, 1, g_b, 0, g_out); });
  measure("mul_s8", "runs of 32", kCount, [&] {
    for (int32_t i = 0; i < kCount; i += 32) {
      mcugen::mul_s8(mul, 32, g_a + i, 1, g_b, 1, g_out + i);
    }
  });
  measure("maximum_s8", "two tensors", kCount,
          [&] { mcugen::maximum_s8(kCount, g_a, 1, g_b, 1, g_out); });
  measure("minimum_s8", "with a value", kCount,
          [&] { mcugen::minimum_s8(kCount, g_a, 1, g_b, 0, g_out); });
  measure("clamp_s8", "", kCount, [&] { mcugen::clamp_s8(kCount, g_a, -100, 50, g_out); });
  measure("lookup_s8", "", kCount, [&] { mcugen::lookup_s8(kCount, g_a, g_b, g_out); });
}

void conversions() {
  constexpr int32_t kCount = 20'000;
  const mcugen::QuantizeParams p{127.0f, -3, -128, 127};
  measure("quantize_f32_s8", "", kCount,
          [&] { mcugen::quantize_f32_s8(p, kCount, g_real, g_out); });
  measure("dequantize_s8_f32", "", kCount,
          [&] { mcugen::dequantize_s8_f32(0.01f, -3, kCount, g_a, g_real); });
}

void softmax() {
  for (const int32_t depth : {10, 100, 1000}) {
    const mcugen::SoftmaxS8Params p{10'000 / depth, depth, 1, 1'717'986'918, 22, -200};
    measure("softmax_s8",
            depth == 10    ? "rows of 10"
            : depth == 100 ? "rows of 100"
                           : "rows of 1000",
            10'000, [&] { mcugen::softmax_s8(p, g_a, g_out); });
  }
}

void transpose_conv() {
  struct Case {
    const char* name;
    int32_t size, in_ch, out_ch, kernel, pad;
  };
  constexpr Case kCases[] = {{"per MAC: 2x2/2, 12x12x32 to 16", 12, 32, 16, 2, 0},
                             {"per MAC: 3x3/2, 12x12x16 to 8", 12, 16, 8, 3, 1},
                             {"per MAC: 4x4/2, 12x12x16 to 3", 12, 16, 3, 4, 1}};
  for (const Case& c : kCases) {
    mcugen::Conv2dS8Params p{};
    p.batch = 1;
    p.in_h = p.in_w = c.size;
    p.in_ch = c.in_ch;
    p.out_ch = c.out_ch;
    p.kernel_h = p.kernel_w = c.kernel;
    p.stride_h = p.stride_w = 2;
    p.pad_top = p.pad_left = c.pad;
    p.dilation_h = p.dilation_w = p.groups = 1;
    p.out_h = p.out_w = (c.size - 1) * 2 - 2 * c.pad + c.kernel;
    p.input_zero_point = -128;
    p.activation_min = -128;
    p.activation_max = 127;
    p.multipliers = g_multipliers;
    p.shifts = g_shifts;
    measure("transpose_conv2d_s8", c.name,
            c.size * c.size * c.in_ch * c.out_ch * c.kernel * c.kernel,
            [&] { mcugen::transpose_conv2d_s8(p, g_a, g_b, nullptr, g_out); });
  }
}

void matmul() {
  mcugen::LinearS8Params p{};
  static constexpr int64_t kMultipliers[] = {1'500'000'000};
  static constexpr int64_t kShifts[] = {-8};
  p.batch = 32;
  p.in_ch = 64;
  p.out_ch = 32;
  p.input_zero_point = 3;
  p.weights_zero_point = 5;
  p.activation_min = -128;
  p.activation_max = 127;
  p.multipliers = kMultipliers;
  p.shifts = kShifts;
  measure("linear_s8", "per MAC: batch_matmul 32x64x32", 32 * 64 * 32,
          [&] { mcugen::linear_s8(p, g_a, g_b, nullptr, g_out); });
}

void copies() {
  constexpr int32_t kCount = 20'000;
  measure("gather", "bytes, step 1", kCount, [&] { mcugen::gather(1, kCount, g_a, 1, g_out); });
  measure("gather", "bytes, step 1, odd", kCount,
          [&] { mcugen::gather(1, kCount, g_a + 1, 1, g_out + 2); });
  measure("gather", "bytes, step 3", kCount, [&] { mcugen::gather(1, kCount, g_a, 3, g_out); });
  measure("gather", "bytes, runs of 16", kCount, [&] {
    for (int32_t i = 0; i < kCount; i += 16) {
      mcugen::gather(1, 16, g_a + i, 1, g_out + i);
    }
  });
  const mcugen::PadS8Params even{{1, 24, 24, 16}, {0, 1, 1, 0}, {0, 1, 1, 0}, 3};
  measure("pad_s8", "24x24x16 to 26x26x16", 26 * 26 * 16,
          [&] { mcugen::pad_s8(even, g_a, g_out); });
  const mcugen::PadS8Params odd{{1, 48, 48, 3}, {0, 1, 1, 0}, {0, 1, 1, 0}, 3};
  measure("pad_s8", "48x48x3 to 50x50x3", 50 * 50 * 3, [&] { mcugen::pad_s8(odd, g_a, g_out); });
}

}  // namespace

int main() {
  kSysTick[0] = 0;
  kSysTick[1] = 0xffffff;
  kSysTick[2] = 0;
  kSysTick[0] = 5;
  uint32_t random = 1;
  for (int32_t i = 0; i < 70'000; ++i) {
    random = random * 1664525u + 1013904223u;
    g_a[i] = static_cast<int8_t>(random >> 24);
    g_b[i] = static_cast<int8_t>(random >> 16);
  }
  for (int32_t i = 0; i < 64; ++i) {
    g_multipliers[i] = 1'500'000'000;
    g_shifts[i] = -9;
  }
  for (float& each : g_real) {
    random = random * 1664525u + 1013904223u;
    each = static_cast<float>(static_cast<int32_t>(random)) * 0x1p-31f;
  }
  pools();
  elementwise();
  conversions();
  softmax();
  transpose_conv();
  matmul();
  copies();
  return 0;
}
