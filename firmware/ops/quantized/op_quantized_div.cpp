// SPDX-License-Identifier: BSD-3-Clause
#include <kernels/select.h>
#include <ops/common/strided_loop.h>
#include <ops/quantized/operators.h>

namespace mcugen::ops {
namespace {

template <typename T, typename Kernel>
void run(const DivParams& p, StridedLoop& loop, const Tensor& self, const Tensor& other,
         const Tensor& out, Kernel kernel) {
  T* to = out.mutable_data_ptr<T>();
  do {
    kernel(p, loop.run(), self.const_data_ptr<T>() + loop.offset(0), loop.step(0),
           other.const_data_ptr<T>() + loop.offset(1), loop.step(1), to);
    to += loop.run();
  } while (loop.next());
}

}  // namespace

void cortex_m__quantized_div_out(KernelRuntimeContext& ctx, Span<EValue*> arguments) {
  OpArgs args(ctx, arguments, "cortex_m::quantized_div.out", 7);
  const Tensor* const self =
      args.tensor_of(0, dtype_bit(ScalarType::Char) | dtype_bit(ScalarType::Short));
  const ScalarType dtype = self != nullptr ? self->scalar_type() : ScalarType::Char;
  const Tensor* const other = args.tensor(2, dtype);
  const Tensor* const out = args.tensor(6, dtype);
  const int32_t max = dtype == ScalarType::Char ? INT8_MAX : INT16_MAX;
  DivParams p{};
  p.a_zero_point = args.integer(1, INT16_MIN, INT16_MAX);
  p.b_zero_point = args.integer(3, INT16_MIN, INT16_MAX);
  p.output_zero_point = args.integer(4, -max - 1, max);
  p.output_scale = static_cast<float>(args.number(5));
  args.check(p.output_scale - p.output_scale == 0.0f, "scale");  // finite
  StridedLoop loop(args, out, self, other);
  if (!args.ok()) {
    return;
  }
  if (dtype == ScalarType::Char) {
    run<int8_t>(p, loop, *self, *other, *out, div_s8);
  } else {
    run<int16_t>(p, loop, *self, *other, *out, div_s16);
  }
}

}  // namespace mcugen::ops
