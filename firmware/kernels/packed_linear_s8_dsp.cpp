// SPDX-License-Identifier: BSD-3-Clause

#pragma GCC optimize("O2")

#include <kernels/clamp_s8.h>
#include <kernels/forms.h>
#include <kernels/loops_dsp.h>
#include <kernels/packed_linear_s8.h>

namespace mcugen {
namespace {

template <int32_t kRows>
inline const int32_t* run(bool exact, const McugenDspRows& rows) {
  constexpr bool kWide = kRows == kWideRows;
  const bool only_exact = forms::kPackedRowsExact && !forms::kPackedRows;
  if (only_exact || (forms::kPackedRowsExact && exact)) {
    return kWide ? mcugen_dsp_wide_rows_exact(&rows) : mcugen_dsp_packed_rows_exact(&rows);
  }
  return kWide ? mcugen_dsp_wide_rows(&rows) : mcugen_dsp_packed_rows(&rows);
}

/// Groups of kRows. @returns whether there is such a form, and scratch for it.
template <int32_t kRows>
bool by_groups(const PackedLinearS8Params& p, const int8_t* input, const int32_t* groups,
               int8_t* output) {
  const int32_t fours = (p.in_ch + 3) / 4;
  const bool has_form = p.exact ? forms::kPackedRowsExact : forms::kPackedRows;
  if (!has_form || p.scratch.bytes < static_cast<uint32_t>(fours) * 8) {
    return false;
  }
  const uint32_t minus_zero_point = 0x10001u * static_cast<uint16_t>(-p.input_zero_point);
  McugenDspRows rows;
  rows.inputs = reinterpret_cast<const int16_t*>(p.scratch.data);
  rows.fours = fours;
  for (int32_t b = 0; b < p.batch; ++b, input += p.in_ch, output += p.out_ch) {
    mcugen_dsp_widen_row(input, reinterpret_cast<int16_t*>(p.scratch.data),
                         static_cast<uint32_t>(p.in_ch), minus_zero_point);
    rows.groups = groups;
    rows.out = output;
    rows.count = p.out_ch / kRows;
    const int32_t* const next = run<kRows>(p.exact, rows);
    if (p.out_ch % kRows != 0) {
      rows.groups = next;
      rows.out = output + p.out_ch - kRows;
      rows.count = 1;
      run<kRows>(p.exact, rows);
    }
  }
  if (p.activation_min != INT8_MIN || p.activation_max != INT8_MAX) {
    const int32_t count = p.batch * p.out_ch;
    clamp_s8_scalar(count, output - count, static_cast<int8_t>(p.activation_min),
                    static_cast<int8_t>(p.activation_max), output - count);
  }
  return true;
}

}  // namespace

void packed_linear_s8_dsp(const PackedLinearS8Params& p, const int8_t* input, const int32_t* groups,
                          int8_t* output) {
  if (!by_groups<kPackedRows>(p, input, groups, output)) {
    packed_linear_s8_scalar(p, input, groups, output);
  }
}

void packed_linear_5x4_s8_dsp(const PackedLinearS8Params& p, const int8_t* input,
                              const int32_t* groups, int8_t* output) {
  if (!by_groups<kWideRows>(p, input, groups, output)) {
    packed_linear_5x4_s8_scalar(p, input, groups, output);
  }
}

}  // namespace mcugen
