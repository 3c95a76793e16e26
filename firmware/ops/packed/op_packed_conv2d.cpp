// SPDX-License-Identifier: BSD-3-Clause
#include <kernels/select.h>
#include <kernels/winograd_form.h>
#include <ops/common/conv_args.h>
#include <ops/packed/operators.h>

namespace mcugen::ops {
namespace {

constexpr char kPackedConv2d[] = "mcugen::packed_conv2d.out";

/// @returns whether there are as many words as pairs of channels take, each of `words`.
bool has(const Conv2dS8Params& p, int64_t words, size_t count) {
  return static_cast<uint64_t>(words) <= count &&
         static_cast<uint64_t>(words) * static_cast<uint32_t>((p.out_ch - 1) / 2 + 1) == count;
}

/// @returns whether the words are what the loops may be given.
bool fits(PackedConvForm form, const Conv2dS8Params& p, const int32_t* words, size_t count) {
  if (form == PackedConvForm::kWinograd2) {
    return winograd_has_form(p) && p.out_ch % 2 == 0 &&
           has(p, packed_conv_winograd2_words(p.in_ch), count);
  }
  if (form == PackedConvForm::kWinograd4) {
    return winograd4_has_form(p) && has(p, winograd4_words(p.in_ch), count);
  }
  const int32_t of_pair = packed_conv_pairs_words(conv_runs(p).padded);
  if (!has(p, of_pair, count)) {
    return false;
  }
  const uint32_t last = static_cast<uint32_t>(p.out_ch) - 1;
  bool has_last = false;
  for (const int32_t* pair = words; pair != words + count; pair += of_pair) {
    const uint32_t first = static_cast<uint32_t>(pair[0]) & 0xffff;
    const uint32_t second = static_cast<uint32_t>(pair[0]) >> 16;
    if (first > last || second > last || pair[1] < 0 || pair[1] >= kPackedConvRoundings) {
      return false;
    }
    has_last = has_last || first == last || second == last;
  }
  return has_last;
}

void packed_conv2d(KernelRuntimeContext& ctx, Span<EValue*> arguments, Layout layout) {
  constexpr ConvArgs::Indices kIndices{5, 6, 13};
  OpArgs args(ctx, arguments, kPackedConv2d, 14);
  ConvArgs conv(args, kIndices, layout, ScalarType::Int);
  Conv2dS8Params& p = conv.params;
  const auto form = static_cast<PackedConvForm>(args.integer(2, 0, kPackedConvForms - 1));
  args.pair(8, 1, kMaxWindow, p.kernel_h, p.kernel_w);
  p.groups = args.integer(9, 1, 1);
  if (!args.ok() || !args.check(conv.weights->dim() == 1, "rank") ||
      !args.check(static_cast<int64_t>(p.kernel_h) * p.kernel_w <= kMostTaps / p.in_ch, "kernel")) {
    return;
  }
  const int32_t* const words = conv.weights->const_data_ptr<int32_t>();
  const size_t count = static_cast<size_t>(conv.weights->numel());
  p.scratch = args.scratch(12);
  if (args.check(fits(form, p, words, count), "weights") && conv.check_in_place(args, 1)) {
    packed_conv2d_s8(form, p, conv.input->const_data_ptr<int8_t>(), words,
                     conv.out->mutable_data_ptr<int8_t>());
  }
}

}  // namespace

void mcugen__packed_conv2d_out(KernelRuntimeContext& ctx, Span<EValue*> args) {
  packed_conv2d(ctx, args, Layout::kDimOrder);
}

void mcugen__packed_conv2d_nhwc_out(KernelRuntimeContext& ctx, Span<EValue*> args) {
  packed_conv2d(ctx, args, Layout::kNhwc);
}

}  // namespace mcugen::ops
