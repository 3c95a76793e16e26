// SPDX-License-Identifier: BSD-3-Clause

#pragma GCC optimize("O2")

#include <kernels/im2col_s8_dsp.h>
#include <kernels/packed_conv2d_s8.h>
#include <kernels/winograd4_s8.h>
#include <kernels/winograd_s8_dsp.h>

namespace mcugen {
namespace {

bool run(PackedConvForm form, const Conv2dS8Params& p, const int8_t* input, const int32_t* words,
         int8_t* output) {
  switch (form) {
    case PackedConvForm::kPairs:
      return convolve_packed_s8(p, input, words, output);
    case PackedConvForm::kWinograd2:
      return winograd_packed_s8(p, input, words, output);
    case PackedConvForm::kWinograd4:
      return winograd4_s8(p, input, words, output);
  }
  return false;
}

}  // namespace

void packed_conv2d_s8_dsp(PackedConvForm form, const Conv2dS8Params& p, const int8_t* input,
                          const int32_t* words, int8_t* output) {
  if (!run(form, p, input, words, output)) {
    packed_conv2d_s8_scalar(form, p, input, words, output);
  }
}

}  // namespace mcugen
