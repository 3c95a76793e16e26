// SPDX-License-Identifier: BSD-3-Clause
#pragma once

/// Transcendental functions of one float; those of angles are in trig_f32.h. The C library's use
/// fused multiply-add on the cores that have it and so give other last bits than on those that have
/// not; these use only +, -, *, / and sqrt of IEEE 754 doubles, each rounded by itself (compile
/// with -ffp-contract=off), and give the same bits on every core, in hardware or in software, and
/// on the host.
///
/// Results are within 1 ulp (unit in the last place of a float) of the exact value, most of them
/// the nearest float, subnormal ones too. Limits are C's: NaN gives NaN, an argument outside of the
/// domain gives NaN, poles and overflow give infinity, and odd functions keep the sign of zero. The
/// sign and payload of a NaN are not defined.
///
/// On cores without a double-precision unit a call costs a few thousand instructions.

namespace mcugen {

float exp_f32(float x);
float expm1_f32(float x);
float log_f32(float x);
float log2_f32(float x);
float log10_f32(float x);
float log1p_f32(float x);
float pow_f32(float x, float y);

float sinh_f32(float x);
float cosh_f32(float x);
float tanh_f32(float x);
float asinh_f32(float x);
float acosh_f32(float x);
float atanh_f32(float x);

float erf_f32(float x);
/// 1 / (1 + exp(-x))
float sigmoid_f32(float x);
float sqrt_f32(float x);
float rsqrt_f32(float x);

/// Nearest integers: towards -inf, +inf, zero, and the nearest, halves to even. Exact.
float floor_f32(float x);
float ceil_f32(float x);
float trunc_f32(float x);
float round_f32(float x);

/// The remainder of x / y with the sign of x, exact. NaN for y = 0 or infinite x.
float fmod_f32(float x, float y);

/// What the functions above are made of, for kernels that go on in double: relative error below
/// 1e-13, tanh and erf 1e-9. exp_f64 takes any double and gives 0 below 1e-307; log_f64 takes
/// normal doubles above 0.
double exp_f64(double x);
double log_f64(double x);
double tanh_f64(double x);
double erf_f64(double x);
double sqrt_f64(double x);

}  // namespace mcugen
