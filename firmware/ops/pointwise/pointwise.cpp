// SPDX-License-Identifier: BSD-3-Clause
#include <ops/pointwise/pointwise.h>

#include <cstring>

namespace mcugen::ops {
namespace {

constexpr size_t kMaxOperands = 4;

struct Operands {
  size_t count = 0;
  int32_t tensor_count = 0;
  const Tensor* tensors[BroadcastWalk::kMaxInputs] = {};
  uint8_t positions[BroadcastWalk::kMaxInputs] = {};  ///< of the tensors among the operands
  Number numbers[kMaxOperands] = {};
  bool none[kMaxOperands] = {};
};

/// Lifts `compute` to what it is together with a number.
ScalarType promote_number(ScalarType compute, ScalarType number) {
  if (number == ScalarType::Float) {
    return number;
  }
  return compute == ScalarType::Bool ? number : compute;
}

/// Reads the arguments. @returns the type to compute in.
ScalarType read_operands(OpArgs& args, const Pointwise& op, Operands& operands) {
  ScalarType compute = ScalarType::Undefined;
  ScalarType lifted = ScalarType::Bool;
  bool fraction = false;
  for (size_t i = 0; op.operands[i] != '\0'; ++i) {
    const char kind = op.operands[i];
    if (kind == '-') {
      continue;
    }
    const size_t at = operands.count++;
    operands.none[at] = (kind == 'T' || kind == 'S' || kind == 'A') && args.is_none(i);
    if (operands.none[at]) {
      continue;
    }
    if (kind == 't' || kind == 'T' || kind == 'b') {
      const Tensor* const tensor =
          args.tensor_of(i, kind == 'b' ? kBoolDtypes | dtype_bit(ScalarType::Byte) : op.dtypes);
      if (tensor == nullptr) {
        return compute;
      }
      operands.positions[operands.tensor_count] = static_cast<uint8_t>(at);
      operands.tensors[operands.tensor_count++] = tensor;
      if (kind != 'b') {
        compute = compute == ScalarType::Undefined ? tensor->scalar_type()
                                                   : promote(compute, tensor->scalar_type());
      }
      continue;
    }
    const Number number = args.scalar(i);
    operands.numbers[at] = number;
    if (kind == 's' || kind == 'S') {
      lifted = promote_number(lifted, number.dtype);
    } else if (kind != 'i') {
      fraction |= number.dtype == ScalarType::Float;
    }
  }
  if (lifted != ScalarType::Bool) {
    compute = promote_number(compute, lifted);
  }
  if (op.result == Result::kFloat || op.in_int == nullptr) {
    compute = ScalarType::Float;
  }
  args.check(!fraction || compute == ScalarType::Float, "number: a fraction, for integers");
  args.check(compute != ScalarType::Float || op.in_float != nullptr, "dtype");
  return compute;
}

bool has_zero(const Tensor& tensor) {
  for (size_t i = 0; i < static_cast<size_t>(tensor.numel()); ++i) {
    if (load_int(tensor.const_data_ptr(), tensor.scalar_type(), i) == 0) {
      return true;
    }
  }
  return false;
}

/// Fails if integers are to be divided by 0, x[1] being the divisor.
void check_divisor(OpArgs& args, const Operands& operands, ScalarType compute) {
  for (int32_t i = 0; i < operands.tensor_count; ++i) {
    if (operands.positions[i] == 1) {
      args.check(!has_zero(*operands.tensors[i]), "divisor: zero");
      return;
    }
  }
  args.check(wrap_int(operands.numbers[1].integer, compute) != 0, "divisor: zero");
}

void loop_in_float(const Pointwise& op, const Tensor& out, const Operands& operands,
                   BroadcastWalk& walk) {
  float x[kMaxOperands];
  for (size_t i = 0; i < operands.count; ++i) {
    x[i] = operands.none[i] ? __builtin_nanf("") : static_cast<float>(operands.numbers[i].real);
  }
  void* const to = out.mutable_data_ptr();
  const size_t count = static_cast<size_t>(out.numel());
  for (size_t n = 0; n < count; ++n, walk.next()) {
    for (int32_t i = 0; i < operands.tensor_count; ++i) {
      const Tensor& tensor = *operands.tensors[i];
      x[operands.positions[i]] =
          load_float(tensor.const_data_ptr(), tensor.scalar_type(), walk.offset(i));
    }
    store_float(to, out.scalar_type(), n, op.in_float(x));
  }
}

void loop_in_int(const Pointwise& op, const Tensor& out, const Operands& operands,
                 ScalarType compute, BroadcastWalk& walk) {
  int64_t x[kMaxOperands];
  for (size_t i = 0; i < operands.count; ++i) {
    x[i] = wrap_int(operands.numbers[i].integer, compute);
  }
  void* const to = out.mutable_data_ptr();
  const size_t count = static_cast<size_t>(out.numel());
  for (size_t n = 0; n < count; ++n, walk.next()) {
    for (int32_t i = 0; i < operands.tensor_count; ++i) {
      const Tensor& tensor = *operands.tensors[i];
      x[operands.positions[i]] =
          load_int(tensor.const_data_ptr(), tensor.scalar_type(), walk.offset(i));
    }
    store_int(to, out.scalar_type(), n, wrap_int(op.in_int(x), compute));
  }
}

}  // namespace

BroadcastWalk::BroadcastWalk(OpArgs& args, const Tensor* out, const Tensor* const* inputs,
                             int32_t count) {
  if (!args.ok()) {
    return;
  }
  int32_t dims = 0;
  for (int32_t i = 0; i < count; ++i) {
    const int32_t rank = static_cast<int32_t>(inputs[i]->dim());
    dims = rank > dims ? rank : dims;
  }
  int32_t shape[kMaxDims];
  for (int32_t d = 0; d < dims; ++d) {
    shape[d] = 1;
    for (int32_t i = 0; i < count; ++i) {
      const int32_t missing = dims - static_cast<int32_t>(inputs[i]->dim());
      const int32_t size = d < missing ? 1 : sizes_of(*inputs[i])[d - missing];
      if (size != 1) {
        args.check(shape[d] == 1 || shape[d] == size, "shape");
        shape[d] = size;
      }
    }
  }
  if (!args.resize(out, shape, dims) || out->numel() == 0) {
    return;
  }
  axes_.rank = dims;
  for (int32_t i = 0; i < count; ++i) {
    const int32_t missing = dims - static_cast<int32_t>(inputs[i]->dim());
    int32_t strides[kMaxDims] = {};
    strides_of(*inputs[i], strides + missing);
    for (int32_t at = 0; at < dims; ++at) {
      const int32_t d = order_of(*out)[at];
      const bool stays = d < missing || sizes_of(*inputs[i])[d - missing] == 1;
      axes_.strides[i][at] = stays ? 0 : strides[d];
    }
  }
  for (int32_t i = count; i < kMaxInputs; ++i) {
    memset(axes_.strides[i], 0, sizeof axes_.strides[i]);
  }
  for (int32_t at = 0; at < dims; ++at) {
    axes_.sizes[at] = shape[order_of(*out)[at]];
    axes_.index[at] = 0;
  }
}

void pointwise(OpArgs& args, const Pointwise& op) {
  Operands operands;
  const ScalarType compute = read_operands(args, op, operands);
  const Tensor* const out = args.tensor_of(strlen(op.operands), kComputeDtypes);
  if (!args.ok() ||
      !args.check(op.result == Result::kPredicate || may_store(compute, out->scalar_type()),
                  "dtype")) {
    return;
  }
  if (op.divides && compute != ScalarType::Float) {
    check_divisor(args, operands, compute);
  }
  BroadcastWalk walk(args, out, operands.tensors, operands.tensor_count);
  if (!args.ok()) {
    return;
  }
  if (compute == ScalarType::Float) {
    loop_in_float(op, *out, operands, walk);
  } else {
    loop_in_int(op, *out, operands, compute, walk);
  }
}

void pointwise(KernelRuntimeContext& ctx, Span<EValue*> arguments, const Pointwise& op) {
  OpArgs args(ctx, arguments, op.op, strlen(op.operands) + 1);
  pointwise(args, op);
}

}  // namespace mcugen::ops
