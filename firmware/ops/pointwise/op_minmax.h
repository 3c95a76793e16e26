// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <ops/common/strided_loop.h>
#include <ops/pointwise/pointwise.h>

namespace mcugen::ops {

template <typename T>
using ChooseKernel = void(int32_t, const T*, int32_t, const T*, int32_t, T*);

template <typename T>
void choose(OpArgs& args, const Tensor* out, const Tensor* self, const Tensor* other,
            ChooseKernel<T>& kernel) {
  StridedLoop loop(args, out, self, other);
  if (!args.ok()) {
    return;
  }
  T* to = out->mutable_data_ptr<T>();
  do {
    kernel(loop.run(), self->const_data_ptr<T>() + loop.offset(0), loop.step(0),
           other->const_data_ptr<T>() + loop.offset(1), loop.step(1), to);
    to += loop.run();
  } while (loop.next());
}

/// minimum and maximum differ in their kernels only.
/// @param[in] otherwise For operands of other types, or of two.
inline void choose_out(KernelRuntimeContext& ctx, Span<EValue*> arguments,
                       const Pointwise& otherwise, ChooseKernel<int8_t>& s8,
                       ChooseKernel<int32_t>& s32, ChooseKernel<float>& f32) {
  OpArgs args(ctx, arguments, otherwise.op, 3);
  const Tensor* const self = args.tensor_of(0, kComputeDtypes);
  const Tensor* const other = args.tensor_of(1, kComputeDtypes);
  const Tensor* const out = args.tensor_of(2, kComputeDtypes);
  if (!args.ok()) {
    return;
  }
  const ScalarType dtype = out->scalar_type();
  const bool alike = self->scalar_type() == dtype && other->scalar_type() == dtype &&
                     out->shape_dynamism() == executorch::runtime::TensorShapeDynamism::STATIC;
  if (alike && dtype == ScalarType::Char) {
    choose(args, out, self, other, s8);
  } else if (alike && dtype == ScalarType::Int) {
    choose(args, out, self, other, s32);
  } else if (alike && dtype == ScalarType::Float) {
    choose(args, out, self, other, f32);
  } else {
    pointwise(args, otherwise);
  }
}

}  // namespace mcugen::ops
