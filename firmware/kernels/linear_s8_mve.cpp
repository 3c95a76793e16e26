// SPDX-License-Identifier: BSD-3-Clause

#if !defined(__ARM_FEATURE_MVE)
#error "linear_s8_mve.cpp needs a core with Helium"
#endif

#pragma GCC optimize("O2")

#include <arm_mve.h>
#include <kernels/conv_mve.h>
#include <kernels/linear_s8.h>
#include <kernels/requantize.h>

namespace mcugen {
namespace {

int32_t sum_of(const int8_t* values, int32_t count) {
  int32_t sum = 0;
  for (; count > 0; count -= 16, values += 16) {
    sum = vaddvaq_s8(sum, vldrbq_z_s8(values, vctp8q(static_cast<uint32_t>(count))));
  }
  return sum;
}

class Linear {
 public:
  Linear(const LinearS8Params& p, const int8_t* weights, const int32_t* bias)
      : p_(p), weights_(weights), bias_(bias) {
    args_.depth = p.in_ch;
    args_.output_zero_point = p.output_zero_point;
    args_.activation_min = p.activation_min;
    args_.activation_max = p.activation_max;
    args_.rounding = rounding_mve(p.output_zero_point, p.activation_min, p.activation_max);
    args_.multipliers = p.channel_multipliers;
    args_.shifts = p.channel_shifts;
    if (p.channel_multipliers == nullptr) {
      args_.multiplier = static_cast<int32_t>(p.multipliers[0]);
      args_.shift = static_cast<int32_t>(p.shifts[0]);
    }
    together_ = bias != nullptr && p.input_zero_point == 0 && p.weights_zero_point == 0 &&
                (p.channel_multipliers != nullptr || !p.per_channel);
  }

  /// Whether the loop can do it, and is quicker. Four rows at least: the last ones overlap.
  bool possible() const {
    if (p_.out_ch < 4 || !pays()) {
      return false;
    }
    if (p_.channel_shifts != nullptr) {
      return shifts_right_mve(p_.channel_shifts, p_.out_ch);
    }
    for (int32_t o = p_.per_channel ? p_.out_ch - 1 : 0; o >= 0; --o) {
      if (p_.shifts[o] >= 0) {
        return false;
      }
    }
    return true;
  }

  void run(const int8_t* input, int8_t* output) {
    args_.input = input;
    if (p_.weights_zero_point != 0) {  // the sum of (input - zero point) times that
      const int32_t sum = sum_of(input, p_.in_ch);
      const int32_t difference = wrapping_sub(sum, wrapping_mul(p_.in_ch, p_.input_zero_point));
      start_ = wrapping_mul(difference, -p_.weights_zero_point);
    }
    const int32_t quads = p_.out_ch / 4;
    if (together_) {
      rows(0, quads, bias_, output);
    } else {
      for (int32_t o = 0; o + 4 <= p_.out_ch; o += 4) {
        four_rows(o, output);
      }
    }
    if (p_.out_ch % 4 != 0) {
      four_rows(p_.out_ch - 4, output);
    }
  }

 private:
  /// Instructions, about; where rows need no look, four of them take next to nothing.
  bool pays() const {
    const int32_t quad = 277 + (p_.in_ch + 15) / 16 * 57 + (p_.per_channel ? 22 : 0);
    const int32_t scalar = p_.out_ch * (50 + 6 * p_.in_ch);
    return together_ || 110 + (p_.out_ch + 3) / 4 * quad < scalar;
  }

  void rows(int32_t first, int32_t quads, const int32_t* bias, int8_t* output) {
    args_.weights = weights_ + first * p_.in_ch;
    args_.quads = quads;
    args_.bias = bias;
    args_.output = output + first;
    mve_linear(&args_);
  }

  /// Four rows whose zero points and scaling need a look.
  void four_rows(int32_t first, int8_t* output) {
    int32_t bias[4], multipliers[4], shifts[4];
    const MveLinear common = args_;
    for (int32_t i = 0; i < 4; ++i) {
      const int32_t o = first + i;
      bias[i] = wrapping_add(bias_ != nullptr ? bias_[o] : 0, start_);
      if (p_.input_zero_point != 0) {
        const int32_t sum = sum_of(weights_ + o * p_.in_ch, p_.in_ch);
        bias[i] = wrapping_sub(bias[i], wrapping_mul(p_.input_zero_point, sum));
      }
      if (common.multipliers == nullptr && p_.per_channel) {
        multipliers[i] = static_cast<int32_t>(p_.multipliers[o]);
        shifts[i] = static_cast<int32_t>(p_.shifts[o]);
        args_.multipliers = multipliers;
        args_.shifts = shifts;
      }
    }
    if (common.multipliers != nullptr) {
      args_.multipliers += first;
      args_.shifts += first;
    }
    rows(first, 1, bias, output);
    args_ = common;
  }

  const LinearS8Params& p_;
  const int8_t* const weights_;
  const int32_t* const bias_;
  MveLinear args_;
  int32_t start_ = 0;
  bool together_;
};

}  // namespace

void linear_s8_mve(const LinearS8Params& p, const int8_t* input, const int8_t* weights,
                   const int32_t* bias, int8_t* output) {
  Linear linear(p, weights, bias);
  if (!linear.possible()) {
    linear_s8_scalar(p, input, weights, bias, output);
    return;
  }
  for (int32_t b = 0; b < p.batch; ++b, input += p.in_ch, output += p.out_ch) {
    linear.run(input, output);
  }
}

}  // namespace mcugen
