// SPDX-License-Identifier: BSD-3-Clause
#include <ops/quantized/quant_args.h>

#include <cstring>

namespace mcugen::ops {

QuantArgs::QuantArgs(OpArgs& args) {
  scale = args.number(1);
  dtype = static_cast<ScalarType>(args.integer(5, static_cast<int32_t>(ScalarType::Char),
                                               static_cast<int32_t>(ScalarType::Short)));
  const int32_t max = dtype == ScalarType::Char ? INT8_MAX : INT16_MAX;
  zero_point = args.integer(2, -max - 1, max);
  quant_min = args.integer(3, -max - 1, max);
  quant_max = args.integer(4, quant_min, max);
  // Sign and exponent, so that no double arithmetic is linked in.
  uint64_t bits;
  memcpy(&bits, &scale, sizeof bits);
  const uint32_t exponent = static_cast<uint32_t>(bits >> 52);
  args.check(exponent >= 1023 - 126 && exponent < 1023 + 126, "scale");
}

}  // namespace mcugen::ops
