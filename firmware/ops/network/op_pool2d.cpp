// SPDX-License-Identifier: BSD-3-Clause
#include <kernels/select.h>
#include <kernels/window.h>
#include <ops/network/network_args.h>
#include <ops/network/operators.h>

namespace mcugen::ops {
namespace {

/// One call: every output element is computed from a window of one channel.
struct Pool {
  const Tensor* input;
  const Tensor* out;
  Image in;
  Image to;
  Windows windows;
  const Tensor* indices = nullptr;  ///< Of max_pool2d_with_indices.
  Image index{};
  bool adaptive = false;
  bool count_padding = false;
  int64_t divisor = 0;  ///< 0: the number of pixels
};

/// A window along one axis.
struct Extent {
  int32_t first;   ///< Where its first pixel inside of the image is; 0 if it has none.
  int32_t count;   ///< Pixels inside of the image.
  int32_t padded;  ///< The same with padding, for averages.
};

/// @returns where window `i` lies along one axis.
Extent place(bool adaptive, int32_t i, int32_t in, int32_t out, int32_t kernel, int32_t stride,
             int32_t pad, int32_t dilation) {
  if (adaptive) {
    const int32_t begin = static_cast<int32_t>(int64_t{i} * in / out);
    const int32_t end = static_cast<int32_t>((int64_t{i + 1} * in + out - 1) / out);
    return {begin, end - begin, end - begin};
  }
  const int32_t origin = i * stride - pad;
  const int32_t end = origin + kernel < in + pad ? origin + kernel : in + pad;
  const TapRange taps = valid_taps(origin, in, kernel, dilation);
  const int32_t count = taps.end - taps.begin;
  return {count == 0 ? 0 : origin + taps.begin * dilation, count, end - origin};
}

/// @returns the distance of neighbouring pixels of a window; of a single one any will do.
int32_t distance(int32_t count, int32_t dilation, int32_t step) {
  return count < 2 ? 0 : dilation * step;
}

/// Writes the window's largest element and where it is; both 0 if there is none. NaN is larger than
/// nothing and nothing is larger than NaN, as in ExecuTorch: only a NaN that comes first stays.
void store_largest(const Pool& pool, const WindowPixels& window, int32_t y, int32_t x, size_t to,
                   size_t index_to) {
  const ScalarType dtype = pool.input->scalar_type();
  const void* const data = pool.input->const_data_ptr();
  const bool real = dtype == ScalarType::Float;
  int64_t position = 0;
  float most_real = 0;
  int64_t most = 0;
  bool first = true;
  for (int32_t ky = 0; ky < window.rows; ++ky) {
    for (int32_t kx = 0; kx < window.columns; ++kx) {
      const size_t at =
          static_cast<size_t>(window.first + ky * window.row_step + kx * window.column_step);
      const float value_real = real ? static_cast<const float*>(data)[at] : 0.0f;
      const int64_t value = real ? 0 : load_int(data, dtype, at);
      if (first || value_real > most_real || value > most) {
        first = false;
        most_real = value_real;
        most = value;
        position = int64_t{y + ky * pool.windows.dilation_h} * pool.in.w + x +
                   kx * pool.windows.dilation_w;
      }
    }
  }
  if (real) {
    store_float(pool.out->mutable_data_ptr(), dtype, to, most_real);
  } else {
    store_int(pool.out->mutable_data_ptr(), dtype, to, most);
  }
  pool.indices->mutable_data_ptr<int64_t>()[index_to] = position;
}

void store_average(const Pool& pool, const WindowPixels& window, int64_t count, size_t to) {
  if (pool.out->scalar_type() == ScalarType::Float) {
    const float sum = sum_window_f32(window, pool.input->const_data_ptr<float>());
    store_float(pool.out->mutable_data_ptr(), ScalarType::Float, to,
                sum / static_cast<float>(count));
    return;
  }
  const int64_t* const image = pool.input->const_data_ptr<int64_t>() + window.first;
  int64_t sum = 0;
  for (int32_t y = 0; y < window.rows; ++y) {
    for (int32_t x = 0; x < window.columns; ++x) {
      sum = wrapping_add(sum, image[y * window.row_step + x * window.column_step]);
    }
  }
  // INT64_MIN / -1 does not fit.
  pool.out->mutable_data_ptr<int64_t>()[to] = count == -1 ? wrapping_sub(0, sum) : sum / count;
}

/// @returns where an element of an image lies.
size_t element_of(const Image& image, int32_t n, int32_t c, int32_t y, int32_t x) {
  return static_cast<size_t>(n * image.n_step + c * image.c_step + y * image.h_step +
                             x * image.w_step);
}

void compute(const Pool& pool) {
  const Image& in = pool.in;
  const Image& to = pool.to;
  const Windows& w = pool.windows;
  for (int32_t n = 0; n < to.n; ++n) {
    for (int32_t c = 0; c < to.c; ++c) {
      for (int32_t y = 0; y < to.h; ++y) {
        const Extent rows =
            place(pool.adaptive, y, in.h, to.h, w.kernel_h, w.stride_h, w.pad_top, w.dilation_h);
        for (int32_t x = 0; x < to.w; ++x) {
          const Extent columns =
              place(pool.adaptive, x, in.w, to.w, w.kernel_w, w.stride_w, w.pad_left, w.dilation_w);
          const WindowPixels window{
              static_cast<int32_t>(element_of(in, n, c, rows.first, columns.first)), rows.count,
              columns.count, distance(rows.count, w.dilation_h, in.h_step),
              distance(columns.count, w.dilation_w, in.w_step)};
          const size_t at = element_of(to, n, c, y, x);
          if (pool.indices != nullptr) {
            store_largest(pool, window, rows.first, columns.first, at,
                          element_of(pool.index, n, c, y, x));
            continue;
          }
          const int64_t count = pool.divisor != 0    ? pool.divisor
                                : pool.count_padding ? int64_t{rows.padded} * columns.padded
                                                     : int64_t{rows.count} * columns.count;
          store_average(pool, window, count, at);
        }
      }
    }
  }
}

/// Gives the outputs their shapes, checks their types, and computes.
void run(OpArgs& args, Pool& pool) {
  if (!args.ok() || !args.check(pool.input->scalar_type() == pool.out->scalar_type(), "dtype")) {
    return;
  }
  Image result = pool.in;
  result.h = pool.windows.out_h;
  result.w = pool.windows.out_w;
  const ImageSizes sizes(pool.input, Rank3::kImage, result);
  if (!args.resize(pool.out, sizes.sizes, sizes.rank) ||
      (pool.indices != nullptr && !args.resize(pool.indices, sizes.sizes, sizes.rank))) {
    return;
  }
  pool.to = image_of(args, pool.out, Rank3::kImage);
  if (pool.indices != nullptr) {
    pool.index = image_of(args, pool.indices, Rank3::kImage);
  }
  if (args.ok()) {
    compute(pool);
  }
}

}  // namespace

void aten__max_pool2d_with_indices_out(KernelRuntimeContext& ctx, Span<EValue*> arguments) {
  OpArgs args(ctx, arguments, "aten::max_pool2d_with_indices.out", 8);
  Pool pool{};
  pool.input = args.tensor_of(0, kFloatDtypes | kIntDtypes);
  pool.out = args.tensor_of(6, kFloatDtypes | kIntDtypes);
  pool.indices = args.tensor(7, ScalarType::Long);
  pool.in = image_of(args, pool.input, Rank3::kImage);
  pool.windows = read_windows(args, 4, 5, pool.in);
  run(args, pool);
}

void aten__avg_pool2d_out(KernelRuntimeContext& ctx, Span<EValue*> arguments) {
  constexpr uint32_t kDtypes = kFloatDtypes | dtype_bit(ScalarType::Long);
  OpArgs args(ctx, arguments, "aten::avg_pool2d.out", 8);
  Pool pool{};
  pool.input = args.tensor_of(0, kDtypes);
  pool.out = args.tensor_of(7, kDtypes);
  pool.in = image_of(args, pool.input, Rank3::kImage);
  pool.windows = read_windows(args, 0, 4, pool.in);
  pool.count_padding = args.boolean(5);
  pool.divisor = args.optional_int64(6, 0);
  args.check(pool.divisor != 0 || args.is_none(6), "divisor");
  run(args, pool);
}

void aten___adaptive_avg_pool2d_out(KernelRuntimeContext& ctx, Span<EValue*> arguments) {
  OpArgs args(ctx, arguments, "aten::_adaptive_avg_pool2d.out", 3);
  Pool pool{};
  pool.adaptive = true;
  pool.input = args.tensor(0, ScalarType::Float);
  pool.out = args.tensor(2, ScalarType::Float);
  pool.in = image_of(args, pool.input, Rank3::kImage);
  const auto sizes = args.ints(1, 2);
  if (args.ok() && args.check(sizes.data()[0] >= 1 && sizes.data()[0] <= kMaxExtent &&
                                  sizes.data()[1] >= 1 && sizes.data()[1] <= kMaxExtent,
                              "output size")) {
    pool.windows = {1,
                    1,
                    1,
                    1,
                    0,
                    0,
                    1,
                    1,
                    static_cast<int32_t>(sizes.data()[0]),
                    static_cast<int32_t>(sizes.data()[1])};
  }
  run(args, pool);
}

}  // namespace mcugen::ops
