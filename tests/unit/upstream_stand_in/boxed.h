// SPDX-License-Identifier: BSD-3-Clause
//
// A kernel's arguments as ExecuTorch passes them, packed into what our operators take.
#pragma once

#include <executorch/runtime/core/evalue.h>
#include <executorch/runtime/core/exec_aten/exec_aten.h>
#include <executorch/runtime/kernel/kernel_runtime_context.h>
#include <stand_in/traits.h>

#include <cstdint>
#include <new>
#include <optional>

namespace stand_in {

using executorch::aten::ArrayRef;
using executorch::aten::ScalarType;
using executorch::aten::Tensor;
using executorch::runtime::BoxedEvalueList;
using executorch::runtime::Error;
using executorch::runtime::EValue;
using executorch::runtime::KernelRuntimeContext;
using executorch::runtime::Span;

inline EValue packed(const EValue& value) { return value; }
inline EValue packed(int64_t value) { return EValue(value); }
inline EValue packed(double value) { return EValue(value); }
inline EValue packed(bool value) { return EValue(value); }
inline EValue packed(const Tensor& value) { return EValue(value); }
inline EValue packed(const executorch::aten::Scalar& value) { return EValue(value); }
inline EValue packed(ScalarType value) { return EValue(static_cast<int64_t>(value)); }

template <typename T>
EValue packed(const std::optional<T>& value) {
  return value.has_value() ? packed(*value) : EValue();
}

/// Room for the lists of one call: kernels do not call each other.
struct Lists {
  static constexpr size_t kItems = 32;
  static constexpr size_t kLists = 8;

  EValue* pack(ArrayRef<int64_t> list) {
    ET_CHECK(list.size() <= kItems - used && made < kLists);
    for (size_t i = 0; i < list.size(); ++i) {
      items[used + i] = EValue(list[i]);
      pointers[used + i] = &items[used + i];
    }
    lists[made] =
        BoxedEvalueList<int64_t>(pointers + used, numbers + used, static_cast<int>(list.size()));
    used += list.size();
    values[made] = EValue(&lists[made]);
    return &values[made++];
  }

  size_t used = 0;
  size_t made = 0;
  EValue items[kItems];
  EValue* pointers[kItems];
  int64_t numbers[kItems];
  BoxedEvalueList<int64_t> lists[kLists];
  EValue values[kLists];
};

inline EValue packed(ArrayRef<int64_t> list, Lists& lists) { return *lists.pack(list); }
inline EValue packed(const std::optional<ArrayRef<int64_t>>& list, Lists& lists) {
  return list.has_value() ? packed(*list, lists) : EValue();
}
template <typename T>
EValue packed(const T& value, Lists&) {
  return packed(value);
}

using Operator = void (*)(KernelRuntimeContext&, Span<EValue*>);

/// Call our operator as a kernel of ExecuTorch with these arguments is called.
template <typename... Args>
void call(Operator op, KernelRuntimeContext& context, Tensor& out, const Args&... args) {
  if (!traits_hold()) {
    return context.fail(Error::Internal);
  }
  Lists lists;
  EValue values[] = {packed(args, lists)...};
  EValue last(out);
  EValue* stack[sizeof...(args) + 1];
  for (size_t i = 0; i < sizeof...(args); ++i) {
    stack[i] = &values[i];
  }
  stack[sizeof...(args)] = &last;
  op(context, {stack, sizeof...(args) + 1});
}

}  // namespace stand_in
