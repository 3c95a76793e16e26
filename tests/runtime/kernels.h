// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <executorch/runtime/kernel/kernel_runtime_context.h>
#include <executorch/runtime/kernel/operator_registry.h>

#include <cstring>

/// Operators of programs.py, and one that stands in for any operator.
namespace test {

using executorch::aten::Tensor;
using executorch::runtime::Error;
using executorch::runtime::EValue;
using executorch::runtime::Kernel;
using executorch::runtime::KernelRuntimeContext;
using executorch::runtime::Span;

inline void add(KernelRuntimeContext& context, Span<EValue*> args) {
  const Tensor& a = args[0]->toTensor();
  const Tensor& b = args[1]->toTensor();
  const Tensor& out = args[2]->toTensor();
  if (a.numel() != out.numel() || b.numel() != out.numel()) {
    context.fail(Error::InvalidArgument);
    return;
  }
  for (ssize_t i = 0; i < out.numel(); ++i) {
    out.mutable_data_ptr<float>()[i] = a.const_data_ptr<float>()[i] + b.const_data_ptr<float>()[i];
  }
}

inline void copy(KernelRuntimeContext& context, Span<EValue*> args) {
  const Tensor& in = args[0]->toTensor();
  const Tensor& out = args[1]->toTensor();
  if (executorch::runtime::resize_tensor(out, in.sizes()) != Error::Ok) {
    context.fail(Error::InvalidArgument);
    return;
  }
  memmove(out.mutable_data_ptr(), in.const_data_ptr(), in.nbytes());
}

/// sum(int, double, bool, string, none, ints, doubles, bools, tensors, optionals, empty, out).
inline void sum(KernelRuntimeContext& context, Span<EValue*> args) {
  executorch::runtime::Result<void*> temp = context.allocate_temp(16);
  if (!temp.ok() || args.size() != 13 || !args[4]->isNone() || !args[10]->toIntList().empty()) {
    context.fail(Error::InvalidArgument);
    return;
  }
  double total = static_cast<double>(args[0]->toInt()) + args[1]->toDouble() + args[2]->toBool();
  total += static_cast<double>(args[3]->toString().size());
  for (int64_t item : args[5]->toIntList()) {
    total += static_cast<double>(item);
  }
  for (double item : args[6]->toDoubleList()) {
    total += item;
  }
  for (bool item : args[7]->toBoolList()) {
    total += item;
  }
  for (const Tensor& item : args[8]->toTensorList()) {
    total += static_cast<double>(item.const_data_ptr<float>()[1]);
  }
  for (const auto& item : args[9]->toListOptionalTensor()) {
    total += item.has_value() ? static_cast<double>(item->const_data_ptr<float>()[0]) : 100.0;
  }
  args[11]->toTensor().mutable_data_ptr<float>()[0] = static_cast<float>(total);
}

/// self += other, in place.
inline void add_in_place(KernelRuntimeContext& context, Span<EValue*> args) {
  EValue* three[] = {args[0], args[1], args[0]};
  add(context, {three, 3});
}

/// out = sum of the tensors of a list.
inline void total(KernelRuntimeContext& context, Span<EValue*> args) {
  const Tensor& out = args[1]->toTensor();
  memset(out.mutable_data_ptr(), 0, out.nbytes());
  for (const Tensor& item : args[0]->toTensorList()) {
    if (item.numel() != out.numel()) {
      context.fail(Error::InvalidArgument);
      return;
    }
    for (ssize_t i = 0; i < out.numel(); ++i) {
      out.mutable_data_ptr<float>()[i] += item.const_data_ptr<float>()[i];
    }
  }
}

/// first, second = x, x; returns the list of both.
inline void twice(KernelRuntimeContext&, Span<EValue*> args) {
  const Tensor& in = args[0]->toTensor();
  for (size_t i : {1, 2}) {
    memmove(args[i]->toTensor().mutable_data_ptr(), in.const_data_ptr(), in.nbytes());
  }
}

/// The exporter's view of another shape: out gets the memory of x. Called without a return value.
inline void view(KernelRuntimeContext& context, Span<EValue*> args) {
  const Tensor& in = args[0]->toTensor();
  const Tensor& out = args[2]->toTensor();
  int32_t sizes[16];
  const auto wanted = args[1]->toIntList();
  for (size_t i = 0; i < wanted.size(); ++i) {
    sizes[i] = static_cast<int32_t>(wanted[i]);
  }
  if (args.size() != 3 || wanted.size() > 16 ||
      executorch::runtime::resize_tensor(out, {sizes, wanted.size()}) != Error::Ok ||
      out.nbytes() != in.nbytes() ||
      executorch::runtime::internal::set_tensor_data(out, in.mutable_data_ptr(), in.nbytes()) !=
          Error::Ok) {
    context.fail(Error::InvalidArgument);
  }
}

/// aten::add.out(self, other, alpha, out) with alpha 1, and aten::copy_(self, src, non_blocking).
inline void aten_add(KernelRuntimeContext& context, Span<EValue*> args) {
  EValue* three[] = {args[0], args[1], args[3]};
  args.size() == 5 && args[2]->toInt() == 1 ? add(context, {three, 3})
                                            : context.fail(Error::InvalidArgument);
}

inline void aten_copy(KernelRuntimeContext& context, Span<EValue*> args) {
  EValue* two[] = {args[1], args[0]};
  copy(context, {two, 2});
}

inline void add_numbers(KernelRuntimeContext&, Span<EValue*> args) {
  *args[2] = EValue(args[0]->toInt() + args[1]->toInt());
}

inline const Kernel kKernels[] = {
    Kernel("test::add.out", add),
    Kernel("test::copy.out", copy),
    Kernel("test::sum.out", sum),
    Kernel("test::add_.out", add_in_place),
    Kernel("test::total.out", total),
    Kernel("test::twice.out", twice),
    Kernel("executorch_prim::et_view.default", view),
    Kernel("aten::add.out", aten_add),
    Kernel("aten::copy_", aten_copy),
    Kernel("executorch_prim::add.Scalar", add_numbers),
    Kernel("aten::native_dropout.out", twice),
};
constexpr size_t kCount = sizeof(kKernels) / sizeof(kKernels[0]);

}  // namespace test
