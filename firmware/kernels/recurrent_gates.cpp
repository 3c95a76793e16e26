// SPDX-License-Identifier: BSD-3-Clause

// Nearly all time is spent here; the rest of the firmware is built for size.
#pragma GCC optimize("O2")

#include <kernels/recurrent_gates.h>
#include <kernels/requantize.h>

namespace mcugen {
namespace {

/// sigmoid(n / 16) - 1/2, 17 bits behind the point. A test computes it anew.
constexpr uint16_t kSigmoid[257] = {
    0,     2047,  4091,  6126,  8150,  10157, 12146, 14112, 16051, 17961, 19838, 21681, 23485,
    25250, 26973, 28652, 30285, 31873, 33412, 34904, 36346, 37740, 39084, 40379, 41625, 42823,
    43972, 45075, 46131, 47142, 48108, 49031, 49912, 50752, 51552, 52314, 53038, 53727, 54382,
    55003, 55593, 56152, 56683, 57185, 57660, 58110, 58536, 58939, 59320, 59680, 60019, 60340,
    60643, 60929, 61199, 61454, 61694, 61920, 62134, 62335, 62524, 62703, 62871, 63029, 63179,
    63319, 63451, 63576, 63693, 63803, 63907, 64004, 64096, 64182, 64263, 64340, 64412, 64479,
    64543, 64603, 64659, 64712, 64761, 64808, 64852, 64893, 64932, 64968, 65003, 65035, 65065,
    65093, 65120, 65145, 65169, 65191, 65212, 65231, 65250, 65267, 65283, 65299, 65313, 65327,
    65339, 65351, 65362, 65373, 65383, 65392, 65401, 65409, 65417, 65424, 65431, 65437, 65443,
    65449, 65454, 65459, 65464, 65468, 65472, 65476, 65480, 65483, 65486, 65489, 65492, 65495,
    65497, 65500, 65502, 65504, 65506, 65508, 65509, 65511, 65512, 65514, 65515, 65516, 65518,
    65519, 65520, 65521, 65522, 65523, 65523, 65524, 65525, 65526, 65526, 65527, 65527, 65528,
    65528, 65529, 65529, 65530, 65530, 65530, 65531, 65531, 65531, 65532, 65532, 65532, 65532,
    65533, 65533, 65533, 65533, 65533, 65534, 65534, 65534, 65534, 65534, 65534, 65534, 65534,
    65534, 65535, 65535, 65535, 65535, 65535, 65535, 65535, 65535, 65535, 65535, 65535, 65535,
    65535, 65535, 65535, 65535, 65535, 65535, 65535, 65535, 65535, 65535, 65535, 65535, 65535,
    65535, 65535, 65535, 65535, 65535, 65535, 65535, 65535, 65535, 65535, 65535, 65535, 65535,
    65535, 65535, 65535, 65535, 65535, 65535, 65535, 65535, 65535, 65535, 65535, 65535, 65535,
    65535, 65535, 65535, 65535, 65535, 65535, 65535, 65535, 65535, 65535, 65535, 65535, 65535,
    65535, 65535, 65535, 65535, 65535, 65535, 65535, 65535, 65535, 65535,
};

/// @returns sigmoid(size) - 1/2, 29 bits behind the point. @param[in] size At least 0.
int32_t half_sigmoid(int32_t size) {
  size = size < (1 << 20) - 1 ? size : (1 << 20) - 1;
  const int32_t at = size >> 12;
  const int32_t below = kSigmoid[at];
  return below * 4096 + (kSigmoid[at + 1] - below) * (size & 4095);
}

int32_t dot(const int8_t* weights, const int8_t* values, int32_t count) {
  uint32_t acc = 0;
  for (int32_t i = 0; i < count; ++i) {
    acc += static_cast<uint32_t>(weights[i] * values[i]);
  }
  return static_cast<int32_t>(acc);
}

int32_t dot(const int8_t* weights, const int16_t* values, int32_t count) {
  uint32_t acc = 0;
  for (int32_t i = 0; i < count; ++i) {
    acc += static_cast<uint32_t>(weights[i] * values[i]);
  }
  return static_cast<int32_t>(acc);
}

uint64_t scaled(int32_t acc, int32_t multiplier) {
  return static_cast<uint64_t>(static_cast<int64_t>(acc) * multiplier);
}

}  // namespace

int16_t saturate_s16(int64_t value) {
  return static_cast<int16_t>(value < INT16_MIN   ? INT16_MIN
                              : value > INT16_MAX ? INT16_MAX
                                                  : value);
}

int32_t sigmoid_gate(int32_t sum) {
  const int32_t above = (half_sigmoid(sum < 0 ? -sum : sum) + (1 << 13)) >> 14;
  return kGateOne / 2 + (sum < 0 ? -above : above);
}

int32_t tanh_gate(int32_t sum) {
  const int32_t size = sum < 0 ? -sum : sum;
  // tanh(x) = 2 sigmoid(2 x) - 1
  const int32_t value = (half_sigmoid(size < (1 << 20) ? 2 * size : size) + (1 << 12)) >> 13;
  return sum < 0 ? -value : value;
}

int32_t gate_sum(const RecurrentS8Params& p, const RecurrentS8Weights& w, int32_t row, int32_t bias,
                 const int8_t* input, const int16_t* hidden) {
  uint64_t total = 0;
  if (input != nullptr) {
    total = scaled(dot(w.ih + row * p.in_ch, input, p.in_ch), w.multipliers_ih[row]);
  }
  if (hidden != nullptr) {
    total += scaled(dot(w.hh + row * p.units, hidden, p.units), w.multipliers_hh[row]);
  }
  const int64_t sum = round_half_up(static_cast<int64_t>(total), p.shift) + bias;
  return static_cast<int32_t>(sum < -kMostSum ? -kMostSum : sum > kMostSum ? kMostSum : sum);
}

RecurrentSteps::RecurrentSteps(const RecurrentS8Params& p, int32_t batch, const int8_t* input,
                               int8_t* output)
    : params_(p), left_(p.steps), rows_(p.batch_first ? 1 : p.batch) {
  int32_t row = p.batch_first ? batch * p.steps : batch;
  if (p.reverse) {
    row += (p.steps - 1) * rows_;
    rows_ = -rows_;
  }
  input_ = input + row * p.in_ch;
  output_ = output + row * p.units;
}

bool RecurrentSteps::finish(const int16_t* hidden) {
  const RecurrentS8Params& p = params_;
  for (int32_t u = 0; u < p.units; ++u) {
    const int32_t value = requantize(hidden[u], p.output_multiplier, p.output_shift);
    output_[u] =
        static_cast<int8_t>(clamp(wrapping_add(value, p.output_zero_point), INT8_MIN, INT8_MAX));
  }
  if (--left_ == 0) {
    return false;
  }
  input_ += rows_ * p.in_ch;
  output_ += rows_ * p.units;
  return true;
}

void start_state(const int16_t* from, int32_t units, int16_t* to) {
  for (int32_t u = 0; u < units; ++u) {
    to[u] = from != nullptr ? from[u] : 0;
  }
}

}  // namespace mcugen
