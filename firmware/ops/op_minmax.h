// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <ops/strided_loop.h>

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
inline void choose_out(KernelRuntimeContext& ctx, Span<EValue*> arguments, const char* op,
                       ChooseKernel<int8_t>& s8, ChooseKernel<int32_t>& s32,
                       ChooseKernel<float>& f32) {
  OpArgs args(ctx, arguments, op, 3);
  const Tensor* const self = args.tensor(0);
  const Tensor* const other = args.tensor(1);
  const Tensor* const out = args.tensor(2);
  if (!args.ok() || !args.check(self->scalar_type() == other->scalar_type() &&
                                    self->scalar_type() == out->scalar_type(),
                                "dtype")) {
    return;
  }
  switch (out->scalar_type()) {
    case ScalarType::Char:
      return choose(args, out, self, other, s8);
    case ScalarType::Int:
      return choose(args, out, self, other, s32);
    case ScalarType::Float:
      return choose(args, out, self, other, f32);
    default:
      args.check(false, "dtype");
  }
}

}  // namespace mcugen::ops
