// SPDX-License-Identifier: BSD-3-Clause

#pragma GCC optimize("O2")

#include <kernels/clamp_s8.h>
#include <kernels/conv_windows.h>
#include <kernels/im2col_s8_mla.h>
#include <kernels/loops_mla.h>

#include <cstring>

namespace mcugen {
namespace {

constexpr int32_t kLeastTapsOfOneChannel = 48;

int32_t taps_of(const Conv2dS8Params& p) {
  const int32_t in_ch =
      p.groups == 1 ? p.in_ch : p.in_ch / p.groups;  // without division, if it may
  return p.kernel_h * p.kernel_w * in_ch;
}

#if defined(__ARM_FEATURE_UNALIGNED)
inline void copy_word(const int8_t* from, int8_t* to) {
  uint32_t word;
  memcpy(&word, from, sizeof word);
  memcpy(to, &word, sizeof word);
}
#endif

inline int8_t* copy_run(const int8_t* from, int32_t count, int8_t* to) {
#if defined(__ARM_FEATURE_UNALIGNED)
  if (count >= 4) {
    int8_t* const last = to + count - 4;
    copy_word(from + count - 4, last);
    for (; to < last; from += 4, to += 4) {
      copy_word(from, to);
    }
    return last + 4;
  }
#endif
  for (; count > 0; --count) {
    *to++ = *from++;
  }
  return to;
}

/// The windows of a convolution, as McugenMlaTiles wants them.
class Windows : ConvWindows {
 public:
  Windows(const Conv2dS8Params& p, const int8_t* input)
      : ConvWindows(p, input), taps_(taps_of(p)), padded_(gemm_s8_mla_padded(taps_)) {}

  /// Writes `count` windows from `pixel` on; of an odd count the last is paired with the one
  /// before, or with itself.
  /// @param[in] bytes 2 * padded bytes, to be written over.
  void write(int32_t group, int32_t pixel, int32_t count, int8_t* bytes, int32_t* out) {
    if (are_pixels()) {
      const int8_t* const in = input_ + pixel * p_.in_ch;
      if (count >= 2) {
        out = mcugen_mla_widen(in, in + p_.in_ch, out, static_cast<uint32_t>(p_.in_ch), count / 2,
                               p_.in_ch);
      }
      if (count % 2 != 0) {
        const int8_t* const last = in + (count - 1) * p_.in_ch;
        mcugen_mla_widen(count >= 2 ? last - p_.in_ch : last, last, out,
                         static_cast<uint32_t>(p_.in_ch), 1, 0);
      }
      return;
    }
    go_to(group, pixel);
    for (int32_t i = 0; i + 1 < count; i += 2) {
      const Window first = next();
      out = write_pair(first, next(), bytes, out);
    }
    if (count % 2 != 0) {
      go_to(group, pixel + count - (count >= 2 ? 2 : 1));
      const Window first = next();
      write_pair(first, count >= 2 ? next() : first, bytes, out);
    }
  }

 private:
  int32_t* write_pair(const Window& first, const Window& second, int8_t* bytes,
                      int32_t* out) const {
    if (run_bytes_ % 4 == 0 && is_inside(first) && is_inside(second)) {
      return mcugen_mla_widen(position(first), position(second), out,
                              static_cast<uint32_t>(run_bytes_), p_.kernel_h,
                              p_.dilation_h * row_bytes_ - run_bytes_);
    }
    is_inside(first) ? copy_rows(first, bytes) : bytes_of(first, bytes);
    is_inside(second) ? copy_rows(second, bytes + padded_) : bytes_of(second, bytes + padded_);
    return mcugen_mla_widen(bytes, bytes + padded_, out, static_cast<uint32_t>(taps_), 1, 0);
  }

  /// Writes the bytes of a window that is inside.
  void copy_rows(const Window& w, int8_t* to) const {
    const int8_t* from = position(w);
    for (int32_t ky = p_.kernel_h; ky > 0; --ky, from += p_.dilation_h * row_bytes_) {
      to = copy_run(from, run_bytes_, to);
    }
  }

  void bytes_of(const Window& w, int8_t* to) const {
    write_bytes(w, 0, to, [](const int8_t* from, int32_t count, int8_t* end) {
      return copy_run(from, count, end);
    });
  }

  const int32_t taps_;
  const int32_t padded_;
};

}  // namespace

uint32_t convolve_s8_mla_scratch(const Conv2dS8Params& p, int32_t pixels) {
  const int32_t taps = taps_of(p);
  return static_cast<uint32_t>(gemm_s8_mla_stream_bytes(taps) + 2 * gemm_s8_mla_padded(taps) +
                               (pixels + 1) / 2 * gemm_s8_mla_pair_bytes(taps));
}

// Windows are laid out for all channels of a group: for a single one only long ones pay.
bool mla_product_pays(const Conv2dS8Params& p, int32_t taps) {
  const int32_t group_out_ch = p.groups == 1 ? p.out_ch : p.out_ch / p.groups;
  return group_out_ch >= kGemmS8MlaChannels && (group_out_ch > 1 || taps >= kLeastTapsOfOneChannel);
}

bool convolve_s8_mla(const Conv2dS8Params& p, const GemmS8MlaLayer& layer, const int8_t* input,
                     int8_t* output) {
  const uint32_t fixed = convolve_s8_mla_scratch(p, 0);
  const uint32_t pair = static_cast<uint32_t>(gemm_s8_mla_pair_bytes(layer.taps));
  const int32_t group_out_ch = p.out_ch / p.groups;
  if (p.scratch.bytes < fixed + pair || !mla_product_pays(p, layer.taps)) {
    return false;
  }
  int32_t* const stream = reinterpret_cast<int32_t*>(p.scratch.data);
  int8_t* const bytes =
      reinterpret_cast<int8_t*>(p.scratch.data) + gemm_s8_mla_stream_bytes(layer.taps);
  int32_t* const pixels = reinterpret_cast<int32_t*>(p.scratch.data + fixed);
  const int32_t count = p.batch * p.out_h * p.out_w;
  const int32_t most = static_cast<int32_t>((p.scratch.bytes - fixed) / pair) * 2;
  // As many blocks as it takes, of about the same size.
  const int32_t blocks = (count + most - 1) / most;
  const int32_t block = ((count + blocks - 1) / blocks + 1) & ~1;
  Windows windows(p, input);
  for (int32_t first = 0; first < count; first += block) {
    const int32_t here = count - first < block ? count - first : block;
    for (int32_t group = 0; group < p.groups; ++group) {
      windows.write(group, first, here, bytes, pixels);
      gemm_s8_mla_run(layer, group * group_out_ch, (group + 1) * group_out_ch, pixels, here, stream,
                      output + first * p.out_ch + group * group_out_ch);
    }
  }
  if (p.activation_min != INT8_MIN || p.activation_max != INT8_MAX) {
    clamp_s8_scalar(count * p.out_ch, output, static_cast<int8_t>(p.activation_min),
                    static_cast<int8_t>(p.activation_max), output);
  }
  return true;
}

}  // namespace mcugen
