// SPDX-License-Identifier: BSD-3-Clause
#include <kernels/select.h>
#include <ops/common/view.h>
#include <ops/network/operators.h>

namespace mcugen::ops {
namespace {

constexpr uint32_t kDtypes = kFloatDtypes | kIntDtypes;

/// The tensors of one product; all of one type.
struct Product {
  const Tensor* a;
  const Tensor* b;
  const Tensor* added;  ///< Or null.
  const Tensor* out;
  Number alpha{ScalarType::Long, 1.0, 1};
  Number beta{ScalarType::Long, 1.0, 1};

  void check_types(OpArgs& args) const {
    if (args.ok()) {
      const ScalarType dtype = out->scalar_type();
      args.check(a->scalar_type() == dtype && b->scalar_type() == dtype &&
                     (added == nullptr || added->scalar_type() == dtype),
                 "dtype");
    }
  }

  /// Computes with matrices that start at these elements.
  void compute(const MatmulParams& p, int32_t a_offset, int32_t b_offset, int32_t out_offset) const;
};

void Product::compute(const MatmulParams& p, int32_t a_offset, int32_t b_offset,
                      int32_t out_offset) const {
  if (out->scalar_type() == ScalarType::Float) {
    matmul_f32(p, static_cast<float>(alpha.real), static_cast<float>(beta.real),
               a->const_data_ptr<float>() + a_offset, b->const_data_ptr<float>() + b_offset,
               added != nullptr ? added->const_data_ptr<float>() : nullptr,
               out->mutable_data_ptr<float>() + out_offset);
    return;
  }
  // Integers wrap: what 64 bits hold too much is cut off in the end.
  const ScalarType dtype = out->scalar_type();
  const auto load = [dtype](const Tensor* tensor, int32_t index) {
    return load_int(tensor->const_data_ptr(), dtype, static_cast<size_t>(index));
  };
  for (int32_t row = 0; row < p.rows; ++row) {
    for (int32_t column = 0; column < p.columns; ++column) {
      int64_t sum = 0;
      for (int32_t k = 0; k < p.depth; ++k) {
        sum =
            wrapping_add(sum, wrapping_mul(load(a, a_offset + row * p.a_row + k * p.a_step),
                                           load(b, b_offset + column * p.b_column + k * p.b_step)));
      }
      sum = wrapping_mul(sum, alpha.integer);
      if (added != nullptr) {
        sum = wrapping_add(sum, wrapping_mul(beta.integer, load(added, row * p.added_row +
                                                                           column * p.added_step)));
      }
      store_int(out->mutable_data_ptr(), dtype,
                static_cast<size_t>(out_offset + row * p.out_row + column * p.out_step), sum);
    }
  }
}

/// Sets the sizes and steps of a · b, two-dimensional from dimension `d` on, after checking them,
/// and gives `out` its shape.
void multiply(OpArgs& args, const Product& product, int32_t dims) {
  product.check_types(args);
  if (!args.ok() || !args.check(product.a->dim() == dims && product.b->dim() == dims, "rank")) {
    return;
  }
  const int32_t d = dims - 2;
  const View a(*product.a);
  const View b(*product.b);
  MatmulParams p{a.sizes[d],
                 a.sizes[d + 1],
                 b.sizes[d + 1],
                 a.strides[d],
                 a.strides[d + 1],
                 b.strides[d],
                 b.strides[d + 1],
                 0,
                 0,
                 0,
                 0};
  const int32_t sizes[3] = {a.sizes[0], p.rows, p.columns};
  args.check(b.sizes[d] == p.depth && (d == 0 || b.sizes[0] == a.sizes[0]), "shape");
  if (args.ok() && product.added != nullptr) {
    const View added(*product.added);
    if (!args.check(added.rank <= 2, "rank")) {
      return;
    }
    for (int32_t i = 0; i < added.rank; ++i) {
      const bool last = i == added.rank - 1;
      const int32_t step = added.sizes[i] == 1 ? 0 : added.strides[i];
      args.check(added.sizes[i] == 1 || added.sizes[i] == (last ? p.columns : p.rows), "shape");
      (last ? p.added_step : p.added_row) = step;
    }
  }
  if (!args.resize(product.out, sizes + (d == 0 ? 1 : 0), dims)) {
    return;
  }
  const View out(*product.out);
  p.out_row = out.strides[d];
  p.out_step = out.strides[d + 1];
  const int32_t batches = d == 0 ? 1 : sizes[0];
  for (int32_t i = 0; i < batches; ++i) {
    product.compute(p, d == 0 ? 0 : i * a.strides[0], d == 0 ? 0 : i * b.strides[0],
                    d == 0 ? 0 : i * out.strides[0]);
  }
}

/// Multiplies every row of the input by the weights.
__attribute__((noinline)) void multiply_rows(const Product& product, MatmulParams& p) {
  const View a(*product.a);
  const View out(*product.out);
  const int32_t last = a.rank - 1;
  p.a_step = a.strides[last];
  p.out_step = out.strides[last];
  BlockLoop rows;
  for (int32_t d = 0; d < last; ++d) {
    rows.add(a.sizes[d], a.strides[d], out.strides[d]);
  }
  if (rows.empty()) {
    return;
  }
  do {
    product.compute(p, rows.offset(0), 0, rows.offset(1));
  } while (rows.next());
}

}  // namespace

void aten__mm_out(KernelRuntimeContext& ctx, Span<EValue*> arguments) {
  OpArgs args(ctx, arguments, "aten::mm.out", 3);
  const Product product{args.tensor_of(0, kDtypes), args.tensor_of(1, kDtypes), nullptr,
                        args.tensor_of(2, kDtypes)};
  multiply(args, product, 2);
}

void aten__bmm_out(KernelRuntimeContext& ctx, Span<EValue*> arguments) {
  OpArgs args(ctx, arguments, "aten::bmm.out", 3);
  const Product product{args.tensor_of(0, kDtypes), args.tensor_of(1, kDtypes), nullptr,
                        args.tensor_of(2, kDtypes)};
  multiply(args, product, 3);
}

void aten__addmm_out(KernelRuntimeContext& ctx, Span<EValue*> arguments) {
  OpArgs args(ctx, arguments, "aten::addmm.out", 6);
  const Tensor* const added = args.tensor_of(0, kDtypes);
  const Product product{args.tensor_of(1, kDtypes),
                        args.tensor_of(2, kDtypes),
                        added,
                        args.tensor_of(5, kDtypes),
                        args.scalar(4),
                        args.scalar(3)};
  if (args.ok() && is_integral(product.out->scalar_type())) {
    args.check(is_integral(product.alpha.dtype) && is_integral(product.beta.dtype), "factor");
  }
  multiply(args, product, 2);
}

void aten__linear_out(KernelRuntimeContext& ctx, Span<EValue*> arguments) {
  OpArgs args(ctx, arguments, "aten::linear.out", 4);
  const Product product{args.tensor_of(0, kDtypes), args.tensor_of(1, kDtypes),
                        args.optional_tensor_of(2, kDtypes), args.tensor_of(3, kDtypes)};
  product.check_types(args);
  if (!args.ok() || !args.check(product.a->dim() >= 1 && product.b->dim() == 2, "rank")) {
    return;
  }
  int32_t sizes[kMaxDims];
  const int32_t last = static_cast<int32_t>(product.a->dim()) - 1;
  for (int32_t d = 0; d <= last; ++d) {
    sizes[d] = sizes_of(*product.a)[d];
  }
  const View weights(*product.b);
  MatmulParams p{
      1, sizes[last], weights.sizes[0], 0, 0, weights.strides[1], weights.strides[0], 0, 0, 0, 0};
  args.check(weights.sizes[1] == p.depth, "weight shape");
  if (product.added != nullptr) {
    args.check(product.added->dim() == 1 && sizes_of(*product.added)[0] == p.columns,
               "shape of the bias");
    p.added_step = 1;
  }
  sizes[last] = p.columns;
  if (args.resize(product.out, sizes, last + 1)) {
    multiply_rows(product, p);
  }
}

}  // namespace mcugen::ops
