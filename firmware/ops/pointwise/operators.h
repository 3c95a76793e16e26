// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <ops/common/op_args.h>

/// Element by element. See ops.h.

namespace mcugen::ops {

void cortex_m__maximum_out(KernelRuntimeContext& ctx, Span<EValue*> args);
void cortex_m__minimum_out(KernelRuntimeContext& ctx, Span<EValue*> args);
void aten__abs_out(KernelRuntimeContext& ctx, Span<EValue*> args);
void aten__acos_out(KernelRuntimeContext& ctx, Span<EValue*> args);
void aten__acosh_out(KernelRuntimeContext& ctx, Span<EValue*> args);
void aten__add_Scalar_out(KernelRuntimeContext& ctx, Span<EValue*> args);
void aten__add_out(KernelRuntimeContext& ctx, Span<EValue*> args);
void aten__asin_out(KernelRuntimeContext& ctx, Span<EValue*> args);
void aten__asinh_out(KernelRuntimeContext& ctx, Span<EValue*> args);
void aten__atan_out(KernelRuntimeContext& ctx, Span<EValue*> args);
void aten__atan2_out(KernelRuntimeContext& ctx, Span<EValue*> args);
void aten__atanh_out(KernelRuntimeContext& ctx, Span<EValue*> args);
void aten__bitwise_and_Scalar_out(KernelRuntimeContext& ctx, Span<EValue*> args);
void aten__bitwise_and_Tensor_out(KernelRuntimeContext& ctx, Span<EValue*> args);
void aten__bitwise_left_shift_Tensor_Scalar_out(KernelRuntimeContext& ctx, Span<EValue*> args);
void aten__bitwise_left_shift_Tensor_out(KernelRuntimeContext& ctx, Span<EValue*> args);
void aten__bitwise_not_out(KernelRuntimeContext& ctx, Span<EValue*> args);
void aten__bitwise_or_Scalar_out(KernelRuntimeContext& ctx, Span<EValue*> args);
void aten__bitwise_or_Tensor_out(KernelRuntimeContext& ctx, Span<EValue*> args);
void aten__bitwise_right_shift_Tensor_Scalar_out(KernelRuntimeContext& ctx, Span<EValue*> args);
void aten__bitwise_right_shift_Tensor_out(KernelRuntimeContext& ctx, Span<EValue*> args);
void aten__bitwise_xor_Scalar_out(KernelRuntimeContext& ctx, Span<EValue*> args);
void aten__bitwise_xor_Tensor_out(KernelRuntimeContext& ctx, Span<EValue*> args);
void aten__ceil_out(KernelRuntimeContext& ctx, Span<EValue*> args);
void aten__clamp_Tensor_out(KernelRuntimeContext& ctx, Span<EValue*> args);
void aten__clamp_out(KernelRuntimeContext& ctx, Span<EValue*> args);
void aten__cos_out(KernelRuntimeContext& ctx, Span<EValue*> args);
void aten__cosh_out(KernelRuntimeContext& ctx, Span<EValue*> args);
void aten__div_Scalar_mode_out(KernelRuntimeContext& ctx, Span<EValue*> args);
void aten__div_Scalar_out(KernelRuntimeContext& ctx, Span<EValue*> args);
void aten__div_out(KernelRuntimeContext& ctx, Span<EValue*> args);
void aten__div_out_mode(KernelRuntimeContext& ctx, Span<EValue*> args);
void aten__elu_out(KernelRuntimeContext& ctx, Span<EValue*> args);
void aten__eq_Scalar_out(KernelRuntimeContext& ctx, Span<EValue*> args);
void aten__eq_Tensor_out(KernelRuntimeContext& ctx, Span<EValue*> args);
void aten__erf_out(KernelRuntimeContext& ctx, Span<EValue*> args);
void aten__exp_out(KernelRuntimeContext& ctx, Span<EValue*> args);
void aten__expm1_out(KernelRuntimeContext& ctx, Span<EValue*> args);
void aten__floor_out(KernelRuntimeContext& ctx, Span<EValue*> args);
void aten__floor_divide_out(KernelRuntimeContext& ctx, Span<EValue*> args);
void aten__fmod_Scalar_out(KernelRuntimeContext& ctx, Span<EValue*> args);
void aten__fmod_Tensor_out(KernelRuntimeContext& ctx, Span<EValue*> args);
void aten__ge_Scalar_out(KernelRuntimeContext& ctx, Span<EValue*> args);
void aten__ge_Tensor_out(KernelRuntimeContext& ctx, Span<EValue*> args);
void aten__gelu_out(KernelRuntimeContext& ctx, Span<EValue*> args);
void aten__glu_out(KernelRuntimeContext& ctx, Span<EValue*> args);
void aten__gt_Scalar_out(KernelRuntimeContext& ctx, Span<EValue*> args);
void aten__gt_Tensor_out(KernelRuntimeContext& ctx, Span<EValue*> args);
void aten__hardsigmoid_out(KernelRuntimeContext& ctx, Span<EValue*> args);
void aten__hardswish_out(KernelRuntimeContext& ctx, Span<EValue*> args);
void aten__hardtanh_out(KernelRuntimeContext& ctx, Span<EValue*> args);
void aten__isinf_out(KernelRuntimeContext& ctx, Span<EValue*> args);
void aten__isnan_out(KernelRuntimeContext& ctx, Span<EValue*> args);
void aten__le_Scalar_out(KernelRuntimeContext& ctx, Span<EValue*> args);
void aten__le_Tensor_out(KernelRuntimeContext& ctx, Span<EValue*> args);
void aten__leaky_relu_out(KernelRuntimeContext& ctx, Span<EValue*> args);
void aten__log_out(KernelRuntimeContext& ctx, Span<EValue*> args);
void aten__log10_out(KernelRuntimeContext& ctx, Span<EValue*> args);
void aten__log1p_out(KernelRuntimeContext& ctx, Span<EValue*> args);
void aten__log2_out(KernelRuntimeContext& ctx, Span<EValue*> args);
void aten__logical_and_out(KernelRuntimeContext& ctx, Span<EValue*> args);
void aten__logical_not_out(KernelRuntimeContext& ctx, Span<EValue*> args);
void aten__logical_or_out(KernelRuntimeContext& ctx, Span<EValue*> args);
void aten__logical_xor_out(KernelRuntimeContext& ctx, Span<EValue*> args);
void aten__logit_out(KernelRuntimeContext& ctx, Span<EValue*> args);
void aten__lt_Scalar_out(KernelRuntimeContext& ctx, Span<EValue*> args);
void aten__lt_Tensor_out(KernelRuntimeContext& ctx, Span<EValue*> args);
void aten__masked_fill_Scalar_out(KernelRuntimeContext& ctx, Span<EValue*> args);
void aten__maximum_out(KernelRuntimeContext& ctx, Span<EValue*> args);
void aten__minimum_out(KernelRuntimeContext& ctx, Span<EValue*> args);
void aten__mul_Scalar_out(KernelRuntimeContext& ctx, Span<EValue*> args);
void aten__mul_out(KernelRuntimeContext& ctx, Span<EValue*> args);
void aten__ne_Scalar_out(KernelRuntimeContext& ctx, Span<EValue*> args);
void aten__ne_Tensor_out(KernelRuntimeContext& ctx, Span<EValue*> args);
void aten__neg_out(KernelRuntimeContext& ctx, Span<EValue*> args);
void aten__pow_Scalar_out(KernelRuntimeContext& ctx, Span<EValue*> args);
void aten__pow_Tensor_Scalar_out(KernelRuntimeContext& ctx, Span<EValue*> args);
void aten__pow_Tensor_Tensor_out(KernelRuntimeContext& ctx, Span<EValue*> args);
void aten__reciprocal_out(KernelRuntimeContext& ctx, Span<EValue*> args);
void aten__relu_out(KernelRuntimeContext& ctx, Span<EValue*> args);
void aten__remainder_Scalar_out(KernelRuntimeContext& ctx, Span<EValue*> args);
void aten__remainder_Tensor_out(KernelRuntimeContext& ctx, Span<EValue*> args);
void aten__round_out(KernelRuntimeContext& ctx, Span<EValue*> args);
void aten__rsqrt_out(KernelRuntimeContext& ctx, Span<EValue*> args);
void aten__rsub_Scalar_out(KernelRuntimeContext& ctx, Span<EValue*> args);
void aten__sigmoid_out(KernelRuntimeContext& ctx, Span<EValue*> args);
void aten__sign_out(KernelRuntimeContext& ctx, Span<EValue*> args);
void aten__silu_out(KernelRuntimeContext& ctx, Span<EValue*> args);
void aten__sin_out(KernelRuntimeContext& ctx, Span<EValue*> args);
void aten__sinh_out(KernelRuntimeContext& ctx, Span<EValue*> args);
void aten__sqrt_out(KernelRuntimeContext& ctx, Span<EValue*> args);
void aten__sub_Scalar_out(KernelRuntimeContext& ctx, Span<EValue*> args);
void aten__sub_out(KernelRuntimeContext& ctx, Span<EValue*> args);
void aten__tan_out(KernelRuntimeContext& ctx, Span<EValue*> args);
void aten__tanh_out(KernelRuntimeContext& ctx, Span<EValue*> args);
void aten__trunc_out(KernelRuntimeContext& ctx, Span<EValue*> args);
void aten__where_self_out(KernelRuntimeContext& ctx, Span<EValue*> args);

}  // namespace mcugen::ops
