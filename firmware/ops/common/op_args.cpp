// SPDX-License-Identifier: BSD-3-Clause
#include <executorch/runtime/core/exec_aten/util/tensor_util.h>
#include <executorch/runtime/platform/log.h>
#include <kernels/requantize.h>
#include <ops/common/op_args.h>

#include <cstdarg>
#include <cstring>

namespace mcugen::ops {
namespace {

bool is_permutation(const uint8_t* order, int32_t dims) {
  uint32_t seen = 0;
  for (int32_t d = 0; d < dims; ++d) {
    if (order[d] >= dims) {
      return false;
    }
    seen |= 1u << order[d];
  }
  return seen == (1u << dims) - 1;
}

/// Logs one line at level Error, in builds too that compile ET_LOG away to drop the assertion texts
/// of ExecuTorch's headers; MCUGEN_LOG_ENABLED as in runtime/platform/fail.h.
#ifndef MCUGEN_LOG_ENABLED
#define MCUGEN_LOG_ENABLED 1
#endif
#if MCUGEN_LOG_ENABLED
__attribute__((noinline, format(printf, 2, 3))) void log_error(size_t line, const char* format,
                                                               ...) {
  va_list args;
  va_start(args, format);
  executorch::runtime::internal::vlogf(executorch::runtime::LogLevel::Error,
                                       executorch::runtime::internal::get_log_timestamp(),
                                       ET_SHORT_FILENAME, "", line, format, args);
  va_end(args);
}
#else
inline void log_error(size_t, const char*, ...) {}
#endif

}  // namespace

OpArgs::OpArgs(KernelRuntimeContext& ctx, Span<EValue*> args, const char* op, size_t count)
    : ctx_(ctx), args_(args), op_(op) {
  if (kCheckCalls && args.size() != count + 1) {
    ok_ = false;
    log_error(__LINE__, "%s: %u arguments, not %u: the .pte is of another ExecuTorch release", op,
              static_cast<unsigned>(args.size()), static_cast<unsigned>(count + 1));
    ctx.fail(executorch::runtime::Error::InvalidArgument);
  }
}

bool OpArgs::demand(bool condition, const char* what) {
  if (ok_ && !condition) {
    ok_ = false;
    log_error(__LINE__, "%s: bad %s", op_, what);
    ctx_.fail(executorch::runtime::Error::InvalidArgument);
  }
  return ok_;
}

bool OpArgs::refuse(size_t index, const char* what) {
  if (ok_) {
    ok_ = false;
    log_error(__LINE__, "%s: argument %u: bad %s", op_, static_cast<unsigned>(index), what);
    ctx_.fail(executorch::runtime::Error::InvalidArgument);
  }
  return false;
}

EValue* OpArgs::value(size_t index) { return ok() ? args_[index] : nullptr; }

bool OpArgs::is_none(size_t index) const { return ok() && args_[index]->isNone(); }

bool OpArgs::tensor_ok(size_t index, const Tensor& tensor, uint32_t dtypes) {
  if (!kCheckCalls) {
    return true;
  }
  const auto rank = tensor.dim();
  const char* wrong = nullptr;
  if (!is_one_of(tensor.scalar_type(), dtypes)) {
    wrong = "dtype";
  } else if (rank > kMaxDims) {
    wrong = "rank";
  } else if (!is_permutation(order_of(tensor), static_cast<int32_t>(rank))) {
    wrong = "dim order";
  } else if (tensor.numel() != 0) {
    const auto address = reinterpret_cast<uintptr_t>(tensor.const_data_ptr());
    if (address == 0 || (address & (element_bytes(tensor.scalar_type()) - 1)) != 0) {
      wrong = "data pointer";
    }
  }
  return wrong == nullptr || fail(index, wrong);
}

const Tensor* OpArgs::tensor_of(size_t index, uint32_t dtypes) {
  EValue* const value = this->value(index);
  if (value == nullptr) {
    return nullptr;
  }
  if (kCheckCalls && !value->isTensor()) {
    fail(index, "type");
    return nullptr;
  }
  return tensor_ok(index, value->payload.as_tensor, dtypes) ? &value->payload.as_tensor : nullptr;
}

const Tensor* OpArgs::tensor(size_t index, ScalarType dtype) {
  return tensor_of(index, dtype_bit(dtype));
}

const Tensor* OpArgs::tensor(size_t index) { return tensor_of(index, kCopyDtypes); }

const Tensor* OpArgs::optional_tensor_of(size_t index, uint32_t dtypes) {
  return is_none(index) ? nullptr : tensor_of(index, dtypes);
}

ArrayRef<Tensor> OpArgs::tensors(size_t index, uint32_t dtypes) {
  const EValue* const value = this->value(index);
  if (value == nullptr) {
    return {};
  }
  // Checks the elements too; toTensorList() would abort.
  const auto list = value->tryToTensorList();
  if (!list.ok()) {
    fail(index, "Tensor[]");
    return {};
  }
  for (size_t i = 0; i < list->size(); ++i) {
    if (!tensor_ok(index, list->data()[i], dtypes)) {
      return {};
    }
  }
  return *list;
}

ArrayRef<std::optional<Tensor>> OpArgs::optional_tensors(size_t index, uint32_t dtypes) {
  const EValue* const value = this->value(index);
  if (value == nullptr) {
    return {};
  }
  const auto list = value->tryToListOptionalTensor();
  if (!list.ok()) {
    fail(index, "Tensor?[]");
    return {};
  }
  for (size_t i = 0; i < list->size(); ++i) {
    const std::optional<Tensor>& item = list->data()[i];
    if (item.has_value() && !tensor_ok(index, *item, dtypes)) {
      return {};
    }
  }
  return *list;
}

const Tensor* OpArgs::optional_tensor(size_t index, ScalarType dtype) {
  return is_none(index) ? nullptr : tensor(index, dtype);
}

const int32_t* OpArgs::optional_s32(size_t index, int32_t count) {
  const Tensor* const tensor = optional_tensor(index, ScalarType::Int);
  if (tensor == nullptr) {
    return nullptr;
  }
  if (tensor->numel() != count) {
    fail(index, "shape");
  }
  return tensor->const_data_ptr<int32_t>();
}

Scratch OpArgs::scratch(size_t index, size_t operand, size_t before) {
  const EValue* const value = this->value(index);
  if (value == nullptr || !check(value->isTensor(), "scratch")) {
    return {};
  }
  const Tensor& tensor = value->toTensor();
  const size_t bytes = tensor.nbytes();
  uint8_t* const data = static_cast<uint8_t*>(tensor.mutable_data_ptr());
  const size_t skipped = -reinterpret_cast<uintptr_t>(data) & 7;
  if (data == nullptr || bytes <= skipped) {
    return {};
  }
  // Kernels keep addresses in it: a file may not make them write over these.
  for (size_t i = 0; kCheckCalls && i < args_.size(); ++i) {
    if (i != index && args_[i]->isTensor()) {
      const Tensor& other = args_[i]->toTensor();
      const uint8_t* const begin = static_cast<const uint8_t*>(other.const_data_ptr());
      const bool may_overlap = i == operand && begin >= data + skipped + before;
      if (!may_overlap && begin < data + bytes && data < begin + other.nbytes()) {
        return {};
      }
    }
  }
  return {data + skipped, static_cast<uint32_t>(bytes - skipped)};
}

int32_t OpArgs::integer(size_t index, int32_t min, int32_t max) {
  const EValue* const value = this->value(index);
  if (value == nullptr) {
    return 0;
  }
  const int64_t number = value->payload.copyable_union.as_int;
  if (kCheckCalls && (!value->isInt() || number < min || number > max)) {
    fail(index, "int");
    return 0;
  }
  return static_cast<int32_t>(number);
}

int32_t OpArgs::saturated_integer(size_t index) {
  const EValue* const value = this->value(index);
  if (value == nullptr) {
    return 0;
  }
  if (!value->isInt()) {
    fail(index, "int");
  }
  const int64_t number = value->payload.copyable_union.as_int;
  return static_cast<int32_t>(number < INT32_MIN   ? INT32_MIN
                              : number > INT32_MAX ? INT32_MAX
                                                   : number);
}

bool OpArgs::boolean(size_t index) {
  const EValue* const value = this->value(index);
  if (value == nullptr) {
    return false;
  }
  if (!value->isBool()) {
    return fail(index, "bool");
  }
  return value->payload.copyable_union.as_bool;
}

double OpArgs::number(size_t index) {
  const EValue* const value = this->value(index);
  if (value != nullptr) {
    if (value->isDouble()) {
      return value->payload.copyable_union.as_double;
    }
    if (value->isInt()) {
      return static_cast<double>(value->payload.copyable_union.as_int);
    }
    fail(index, "number");
  }
  return 0;
}

int64_t OpArgs::int64(size_t index) {
  const EValue* const value = this->value(index);
  if (value == nullptr) {
    return 0;
  }
  if (!value->isInt()) {
    fail(index, "int");
    return 0;
  }
  return value->payload.copyable_union.as_int;
}

int64_t OpArgs::optional_int64(size_t index, int64_t otherwise) {
  return is_none(index) ? otherwise : int64(index);
}

double OpArgs::optional_number(size_t index, double otherwise) {
  return is_none(index) ? otherwise : number(index);
}

bool OpArgs::optional_boolean(size_t index, bool otherwise) {
  return is_none(index) ? otherwise : boolean(index);
}

size_t OpArgs::choice(size_t index, const char* const* words, size_t count) {
  const EValue* const value = this->value(index);
  if (value == nullptr) {
    return 0;
  }
  const ArrayRef<char>* const text =
      value->isString() ? value->payload.copyable_union.as_string_ptr : nullptr;
  for (size_t i = 0; text != nullptr && i < count; ++i) {
    if (strlen(words[i]) == text->size() && memcmp(words[i], text->data(), text->size()) == 0) {
      return i;
    }
  }
  fail(index, text == nullptr ? "str" : "word");
  return 0;
}

Number OpArgs::scalar(size_t index) {
  const EValue* const value = this->value(index);
  if (value != nullptr) {
    const auto& payload = value->payload.copyable_union;
    if (value->isInt()) {
      return {ScalarType::Long, static_cast<double>(payload.as_int), payload.as_int};
    }
    if (value->isDouble()) {
      return {ScalarType::Float, payload.as_double, float_to_int(payload.as_double)};
    }
    if (value->isBool()) {
      return {ScalarType::Bool, payload.as_bool ? 1.0 : 0.0, payload.as_bool ? 1 : 0};
    }
    fail(index, "number");
  }
  return {ScalarType::Long, 0.0, 0};
}

ScalarType OpArgs::optional_dtype(size_t index, ScalarType otherwise, uint32_t dtypes) {
  if (is_none(index)) {
    return otherwise;
  }
  const int64_t number = int64(index);
  if (ok() && (number < 0 || number > 31 || (dtypes >> number & 1u) == 0)) {
    fail(index, "dtype");
  }
  return ok() ? static_cast<ScalarType>(number) : otherwise;
}

int32_t OpArgs::dim(size_t index, int32_t rank) {
  const int32_t dims = rank == 0 ? 1 : rank;
  const int32_t dim = integer(index, -dims, dims - 1);
  return dim < 0 ? dim + dims : dim;
}

uint32_t OpArgs::dims(size_t index, int32_t rank) {
  const auto list = optional_ints(index);
  if (list.size() == 0) {
    return (1u << rank) - 1;
  }
  const int32_t dims = rank == 0 ? 1 : rank;
  uint32_t seen = 0;
  for (size_t i = 0; i < list.size(); ++i) {
    const int64_t dim = list.data()[i];
    const uint32_t bit = dim < -dims || dim >= dims ? 0 : 1u << (dim < 0 ? dim + dims : dim);
    if (bit == 0 || (seen & bit) != 0) {
      fail(index, "dims");
      return 0;
    }
    seen |= bit;
  }
  return seen;
}

ArrayRef<int64_t> OpArgs::optional_ints(size_t index) {
  return is_none(index) ? ArrayRef<int64_t>() : ints(index, -1);
}

ArrayRef<int64_t> OpArgs::ints(size_t index, int32_t count) {
  const EValue* const value = this->value(index);
  if (value == nullptr) {
    return {};
  }
  // tryToIntList() checks the elements too; toIntList() would abort.
  const auto list = value->tryToIntList();
  if (!list.ok() || (count >= 0 && list->size() != static_cast<size_t>(count))) {
    fail(index, "int[]");
    return {};
  }
  return *list;
}

void OpArgs::pair(size_t index, int32_t min, int32_t max, int32_t& first, int32_t& second) {
  const auto list = ints(index, -1);
  if (!ok()) {
    return;
  }
  if (kCheckCalls && list.size() != 1 && list.size() != 2) {
    fail(index, "int[2]");
    return;
  }
  const int64_t height = list.data()[0];
  const int64_t width = list.data()[list.size() - 1];
  if (kCheckCalls && (height < min || height > max || width < min || width > max)) {
    fail(index, "int[2]");
    return;
  }
  first = static_cast<int32_t>(height);
  second = static_cast<int32_t>(width);
}

bool OpArgs::scaling_in_range(int64_t multiplier, int64_t shift) {
  return multiplier > INT32_MIN && multiplier <= INT32_MAX && shift >= kMinShift &&
         shift <= kMaxShift;
}

void OpArgs::scaling(size_t index, int32_t& multiplier, int32_t& shift) {
  multiplier = integer(index, INT32_MIN + 1, INT32_MAX);
  shift = integer(index + 1, kMinShift, kMaxShift);
}

void OpArgs::activation(size_t min_index, size_t max_index, int32_t& min, int32_t& max) {
  min = integer(min_index, INT8_MIN, INT8_MAX);
  max = integer(max_index, min, INT8_MAX);
}

void OpArgs::channel_scaling(size_t index, int32_t count, const int32_t*& multipliers,
                             const int32_t*& shifts) {
  multipliers = optional_s32(index, count);
  shifts = optional_s32(index + 1, count);
  if (!check(multipliers != nullptr && shifts != nullptr, "multipliers")) {
    return;
  }
  // One check of all: there can be thousands, and this is done in every inference.
  constexpr uint32_t kShifts = kMaxShift - kMinShift;
  uint32_t bad = 0;
  for (int32_t i = 0; kCheckCalls && i < count; ++i) {
    bad |= multipliers[i] == INT32_MIN;
    bad |= static_cast<uint32_t>(shifts[i] - kMinShift) > kShifts;
  }
  check(bad == 0, "multipliers");
}

void OpArgs::repeats_order(size_t index, const Tensor* out) {
  if (!ok() || is_none(index)) {
    return;
  }
  const int32_t rank = static_cast<int32_t>(out->dim());
  const auto list = ints(index, rank);
  uint8_t order[kMaxDims] = {};
  uint32_t seen = 0;
  for (int32_t d = 0; ok() && d < rank; ++d) {
    const int64_t axis = list.data()[d];
    if (check(axis >= 0 && axis < rank && (seen >> axis & 1) == 0, "dim order")) {
      seen |= 1U << axis;
      order[d] = static_cast<uint8_t>(axis);
    }
  }
  if (ok()) {
    check(lies_as(*out, order), "dim order");
  }
}

Nhwc OpArgs::image(const Tensor* tensor, Layout layout) {
  static constexpr uint8_t kOrders[2][4] = {{0, 2, 3, 1}, {0, 1, 2, 3}};
  if (!ok() || !check(tensor->dim() == 4, "rank")) {
    return {};
  }
  const uint8_t* const order = kOrders[layout == Layout::kNhwc ? 1 : 0];
  const int32_t* const sizes = sizes_of(*tensor);
  check(!kCheckCalls || lies_as(*tensor, order), "layout: not channels-last");
  for (int32_t d = 0; kCheckCalls && d < 4; ++d) {
    check(sizes[d] >= 1 && sizes[d] <= kMaxExtent, "shape");
  }
  return {sizes[order[0]], sizes[order[1]], sizes[order[2]], sizes[order[3]]};
}

bool OpArgs::resize(const Tensor* out, const int32_t* sizes, int32_t dims) {
  if (!ok()) {
    return false;
  }
  bool same = out->dim() == dims;
  const bool fits = same;
  for (int32_t d = 0; same && d < dims; ++d) {
    same = sizes_of(*out)[d] == sizes[d];
  }
  if (same) {
    return true;
  }
  // A static tensor is not even tried: one log line, not two.
  return check(fits && out->shape_dynamism() != executorch::runtime::TensorShapeDynamism::STATIC &&
                   executorch::runtime::resize_tensor(
                       *out, ArrayRef<int32_t>(sizes, static_cast<size_t>(dims))) ==
                       executorch::runtime::Error::Ok,
               "output shape");
}

bool OpArgs::resize_as(const Tensor* out, const Tensor* like) {
  return ok() && resize(out, sizes_of(*like), static_cast<int32_t>(like->dim()));
}

void OpArgs::contiguous(const Tensor* tensor) {
  static constexpr uint8_t kAscending[kMaxDims] = {0, 1, 2, 3, 4, 5, 6, 7};
  if (!kCheckCalls || !ok_) {
    return;
  }
  const uint8_t* const order = order_of(*tensor);
  const int32_t dims = static_cast<int32_t>(tensor->dim());
  int32_t d = 0;
  while (d < dims && order[d] == d) {
    ++d;
  }
  if (d < dims) {
    check(lies_as(*tensor, kAscending), "layout: not contiguous");
  }
}

void OpArgs::alike(const Tensor* a, const Tensor* b) {
  if (!kCheckCalls || !ok_ || !check(a->dim() == b->dim(), "rank")) {
    return;
  }
  for (int32_t d = 0; d < a->dim(); ++d) {
    check(sizes_of(*a)[d] == sizes_of(*b)[d], "shape");
  }
  if (ok()) {
    check(lies_as(*a, order_of(*b)), "layout: input and output differ");
  }
}

}  // namespace mcugen::ops
