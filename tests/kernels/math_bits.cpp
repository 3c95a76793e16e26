// SPDX-License-Identifier: BSD-3-Clause
// Prints a checksum of each function of kernels/math_f32.h over pseudo-random floats. Built for the
// host and, with semihosting, for cores with and without floating point; all must print the same.

#include <kernels/math_f32.h>
#include <kernels/trig_f32.h>

#include <cstdint>
#include <cstring>

#ifdef __arm__
extern "C" {
extern uint32_t stack_top;
[[noreturn]] void reset();
static void semihosting(uint32_t operation, const void* argument) {
  register uint32_t r0 asm("r0") = operation;
  register const void* r1 asm("r1") = argument;
  asm volatile("bkpt 0xab" : "+r"(r0) : "r"(r1) : "memory");
}
[[noreturn]] static void stop() {
  semihosting(0x18, reinterpret_cast<const void*>(0x20026));  // SYS_EXIT
  while (true) {
  }
}
__attribute__((section(".vectors"), used)) const void* const vectors[16] = {
    &stack_top,
    reinterpret_cast<const void*>(reset),
    reinterpret_cast<const void*>(stop),
    reinterpret_cast<const void*>(stop),
};
}
static void write(const char* text) { semihosting(0x04, text); }  // SYS_WRITE0
#else
#include <cstdio>
static void write(const char* text) { fputs(text, stdout); }
#endif

namespace {

using One = float (*)(float);
using Two = float (*)(float, float);

constexpr One kOne[] = {
    mcugen::exp_f32,   mcugen::expm1_f32, mcugen::log_f32,   mcugen::log2_f32,  mcugen::log10_f32,
    mcugen::log1p_f32, mcugen::sin_f32,   mcugen::cos_f32,   mcugen::tan_f32,   mcugen::asin_f32,
    mcugen::acos_f32,  mcugen::atan_f32,  mcugen::sinh_f32,  mcugen::cosh_f32,  mcugen::tanh_f32,
    mcugen::asinh_f32, mcugen::acosh_f32, mcugen::atanh_f32, mcugen::erf_f32,   mcugen::sigmoid_f32,
    mcugen::sqrt_f32,  mcugen::rsqrt_f32, mcugen::floor_f32, mcugen::round_f32,
};
constexpr Two kTwo[] = {mcugen::pow_f32, mcugen::atan2_f32, mcugen::fmod_f32};

/// A float of any bits, or one of small magnitude.
float next(uint32_t& state) {
  state = state * 1664525u + 1013904223u;
  uint32_t bits = state ^ state >> 15;
  if ((state >> 24 & 1u) != 0) {
    bits = (bits & 0x80ffffffu) | 0x3f000000u;
  }
  float x;
  memcpy(&x, &bits, sizeof x);
  return x;
}

void add(uint32_t& sum, float y) {
  uint32_t bits = 0x7fc00000u;  // any NaN is one, as where tensors are written
  if (y == y) {
    memcpy(&bits, &y, sizeof bits);
  }
  sum = (sum ^ bits) * 16777619u;
}

void print(uint32_t sum) {
  char text[10] = "00000000\n";
  for (int i = 7; i >= 0; --i, sum >>= 4) {
    text[i] = "0123456789abcdef"[sum & 15u];
  }
  write(text);
}

void run() {
  for (const One function : kOne) {
    uint32_t state = 1, sum = 2166136261u;
    for (int i = 0; i < 2000; ++i) {
      add(sum, function(next(state)));
    }
    print(sum);
  }
  for (const Two function : kTwo) {
    uint32_t state = 2, sum = 2166136261u;
    for (int i = 0; i < 2000; ++i) {
      const float x = next(state);
      add(sum, function(x, next(state)));
    }
    print(sum);
  }
}

}  // namespace

#ifdef __arm__
extern "C" void reset() {
#ifdef __ARM_FP
  *reinterpret_cast<volatile uint32_t*>(0xe000ed88) |= 0xfu << 20;  // CPACR: the FPU
  asm volatile("dsb\n isb");
#endif
  run();
  stop();
}
#else
int main() { run(); }
#endif
