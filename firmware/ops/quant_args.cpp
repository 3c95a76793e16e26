// SPDX-License-Identifier: BSD-3-Clause
#include <ops/quant_args.h>

#include <cstring>

namespace mcugen::ops {

QuantArgs::QuantArgs(OpArgs& args) {
  scale = args.number(1);
  zero_point = args.integer(2, INT8_MIN, INT8_MAX);
  args.activation(3, 4, quant_min, quant_max);
  args.integer(5, static_cast<int32_t>(ScalarType::Char), static_cast<int32_t>(ScalarType::Char));
  // Sign and exponent, so that no double arithmetic is linked in.
  uint64_t bits;
  memcpy(&bits, &scale, sizeof bits);
  const uint32_t exponent = static_cast<uint32_t>(bits >> 52);
  args.check(exponent >= 1023 - 126 && exponent < 1023 + 126, "scale");
}

}  // namespace mcugen::ops
