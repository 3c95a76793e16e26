// SPDX-License-Identifier: BSD-3-Clause
#include <executorch/runtime/core/evalue.h>

namespace executorch::runtime {

using OptionalTensor = std::optional<executorch::aten::Tensor>;

// Lists of optional tensors: an element that is null (-1 in the file) or whose EValue is None is an
// empty optional.

template <>
executorch::aten::ArrayRef<OptionalTensor> BoxedEvalueList<OptionalTensor>::get() const {
  for (size_t i = 0; i < wrapped_vals_.size(); ++i) {
    unwrapped_vals_[i] = wrapped_vals_[i] == nullptr
                             ? OptionalTensor()
                             : wrapped_vals_[i]->toOptional<executorch::aten::Tensor>();
  }
  return {unwrapped_vals_, wrapped_vals_.size()};
}

template <>
Result<executorch::aten::ArrayRef<OptionalTensor>> BoxedEvalueList<OptionalTensor>::tryGet() const {
  for (size_t i = 0; i < wrapped_vals_.size(); ++i) {
    if (wrapped_vals_[i] == nullptr) {
      unwrapped_vals_[i] = OptionalTensor();
      continue;
    }
    auto element = wrapped_vals_[i]->tryToOptional<executorch::aten::Tensor>();
    if (!element.ok()) {
      return element.error();
    }
    unwrapped_vals_[i] = *element;
  }
  return executorch::aten::ArrayRef<OptionalTensor>{unwrapped_vals_, wrapped_vals_.size()};
}

}  // namespace executorch::runtime
