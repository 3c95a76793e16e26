// SPDX-License-Identifier: BSD-3-Clause
// Runs single operator calls on the host, under ASan and UBSan: requests on stdin, replies on
// stdout, both as written down in op_host.py. Each tensor's bytes are a heap block of exactly their
// size, so the sanitizer's red zones are the canaries around every buffer.

#include <executorch/runtime/core/evalue.h>
#include <executorch/runtime/kernel/kernel_runtime_context.h>
#include <executorch/runtime/platform/platform.h>
#include <kernels/quantize.h>
#include <kernels/requantize.h>

#include <cinttypes>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "op_table.h"

using executorch::aten::ScalarType;
using executorch::aten::Tensor;
using executorch::aten::TensorImpl;
using executorch::runtime::BoxedEvalueList;
using executorch::runtime::EValue;
using executorch::runtime::KernelRuntimeContext;
using executorch::runtime::Span;

namespace {

std::string log_text;

struct Block {
  explicit Block(size_t bytes, size_t misalignment)
      : memory(static_cast<char*>(malloc(bytes + misalignment))), data(memory + misalignment) {}
  ~Block() { free(memory); }
  char* memory;
  char* data;
};

struct TensorStorage {
  std::vector<int32_t> sizes;
  std::vector<uint8_t> order;
  std::vector<int32_t> strides;
  std::unique_ptr<Block> block;
  std::unique_ptr<TensorImpl> impl;
  size_t bytes = 0;
};

struct ListStorage {
  std::vector<EValue> values;
  std::vector<EValue*> pointers;
  std::vector<int64_t> unwrapped;
  std::unique_ptr<BoxedEvalueList<int64_t>> list;
};

/// A TensorList or OptionalTensorList. `unwrapped` is raw memory: get() constructs in place.
template <typename Element>
struct TensorListStorage {
  std::vector<EValue> values;
  std::vector<EValue*> pointers;
  std::unique_ptr<char[]> unwrapped;
  std::unique_ptr<BoxedEvalueList<Element>> list;
};

template <typename Element>
struct PlainListStorage {
  std::unique_ptr<Element[]> elements;
  executorch::aten::ArrayRef<Element> list;
};

struct Call {
  std::vector<std::unique_ptr<TensorStorage>> tensors;
  std::vector<std::unique_ptr<ListStorage>> lists;
  std::vector<std::unique_ptr<TensorListStorage<Tensor>>> tensor_lists;
  std::vector<std::unique_ptr<TensorListStorage<std::optional<Tensor>>>> optional_lists;
  std::vector<std::unique_ptr<PlainListStorage<bool>>> bool_lists;
  std::vector<std::unique_ptr<PlainListStorage<double>>> double_lists;
  std::vector<std::unique_ptr<PlainListStorage<char>>> strings;
  std::vector<EValue> values;
  std::vector<EValue*> pointers;
};

int64_t read_int() {
  int64_t value = 0;
  if (scanf("%" SCNd64, &value) != 1) {
    fprintf(stderr, "op_host: bad request\n");
    exit(3);
  }
  return value;
}

std::unique_ptr<TensorStorage> read_tensor() {
  auto storage = std::make_unique<TensorStorage>();
  const auto dtype = static_cast<ScalarType>(read_int());
  const size_t rank = static_cast<size_t>(read_int());
  for (size_t d = 0; d < rank; ++d) {
    storage->sizes.push_back(static_cast<int32_t>(read_int()));
  }
  for (size_t d = 0; d < rank; ++d) {
    storage->order.push_back(static_cast<uint8_t>(read_int()));
  }
  storage->strides.resize(rank, 1);
  // Room for one, so that the arrays of a rank-0 tensor have an address.
  storage->sizes.reserve(1);
  storage->order.reserve(1);
  const bool null_data = read_int() != 0;
  const size_t misalignment = static_cast<size_t>(read_int());
  storage->bytes = static_cast<size_t>(read_int());
  getchar();  // the line feed before the bytes
  storage->block = std::make_unique<Block>(storage->bytes, misalignment);
  if (fread(storage->block->data, 1, storage->bytes, stdin) != storage->bytes) {
    exit(3);
  }
  storage->impl = std::make_unique<TensorImpl>(
      dtype, static_cast<ssize_t>(rank), storage->sizes.data(),
      null_data ? nullptr : storage->block->data, storage->order.data(), storage->strides.data());
  return storage;
}

std::unique_ptr<ListStorage> read_list() {
  auto storage = std::make_unique<ListStorage>();
  const size_t count = static_cast<size_t>(read_int());
  storage->values.reserve(count);
  for (size_t i = 0; i < count; ++i) {
    storage->values.emplace_back(read_int());
    storage->pointers.push_back(&storage->values.back());
  }
  storage->unwrapped.resize(count + 1);
  storage->pointers.reserve(1);
  storage->list = std::make_unique<BoxedEvalueList<int64_t>>(
      storage->pointers.data(), storage->unwrapped.data(), static_cast<int>(count));
  return storage;
}

/// test::requantize(Tensor values, Tensor multipliers, Tensor shifts, Tensor(a!) out), all int32.
void test_requantize(Span<EValue*> args) {
  const auto at = [&](size_t i) { return args[i]->toTensor().mutable_data_ptr<int32_t>(); };
  for (ssize_t i = 0; i < args[0]->toTensor().numel(); ++i) {
    at(3)[i] = mcugen::requantize(at(0)[i], at(1)[i], at(2)[i]);
  }
}

/// test::reciprocal(Tensor values, Tensor(a!) out), both double.
void test_reciprocal(Span<EValue*> args) {
  for (ssize_t i = 0; i < args[0]->toTensor().numel(); ++i) {
    args[1]->toTensor().mutable_data_ptr<double>()[i] =
        mcugen::reciprocal(args[0]->toTensor().const_data_ptr<double>()[i]);
  }
}

bool call(const std::string& name, KernelRuntimeContext& context, Span<EValue*> args) {
  if (name == "test::requantize") {
    test_requantize(args);
    return true;
  }
  if (name == "test::reciprocal") {
    test_reciprocal(args);
    return true;
  }
  for (const OpTableEntry& entry : kOpTable) {
    if (name == entry.name) {
      entry.function(context, args);
      return true;
    }
  }
  return false;
}

double read_double() {
  const int64_t bits = read_int();
  double value;
  memcpy(&value, &bits, sizeof value);
  return value;
}

char read_kind() {
  char kind[2];
  if (scanf("%1s", kind) != 1) {
    exit(3);
  }
  return kind[0];
}

EValue read_tensor_value(Call& call) {
  call.tensors.push_back(read_tensor());
  return EValue(Tensor(call.tensors.back()->impl.get()));
}

/// The elements follow as arguments of their own: T, R or, for an optional one, N.
template <typename Element>
std::unique_ptr<TensorListStorage<Element>> read_tensor_list(Call& call) {
  auto storage = std::make_unique<TensorListStorage<Element>>();
  const size_t count = static_cast<size_t>(read_int());
  storage->values.reserve(count);
  storage->pointers.reserve(count + 1);
  for (size_t i = 0; i < count; ++i) {
    const char kind = read_kind();
    if (kind == 'R') {
      storage->pointers.push_back(call.pointers.at(static_cast<size_t>(read_int())));
      continue;
    }
    storage->values.push_back(kind == 'N' ? EValue() : read_tensor_value(call));
    storage->pointers.push_back(&storage->values.back());
  }
  storage->unwrapped.reset(new char[(count + 1) * sizeof(Element)]());
  storage->list = std::make_unique<BoxedEvalueList<Element>>(
      storage->pointers.data(), reinterpret_cast<Element*>(storage->unwrapped.get()),
      static_cast<int>(count));
  return storage;
}

template <typename Element, typename Read>
std::unique_ptr<PlainListStorage<Element>> read_plain_list(const Read& read) {
  auto storage = std::make_unique<PlainListStorage<Element>>();
  const size_t count = static_cast<size_t>(read_int());
  storage->elements.reset(new Element[count + 1]);
  for (size_t i = 0; i < count; ++i) {
    storage->elements[i] = static_cast<Element>(read());
  }
  storage->list = executorch::aten::ArrayRef<Element>(storage->elements.get(), count);
  return storage;
}

EValue read_value(Call& call, char kind) {
  switch (kind) {
    case 'N':
      return EValue();
    case 'I':
      return EValue(read_int());
    case 'B':
      return EValue(read_int() != 0);
    case 'D':
      return EValue(read_double());
    case 'L':
      call.lists.push_back(read_list());
      return EValue(call.lists.back()->list.get());
    case 'T':
      return read_tensor_value(call);
    case 'X':
      call.tensor_lists.push_back(read_tensor_list<Tensor>(call));
      return EValue(call.tensor_lists.back()->list.get());
    case 'O':
      call.optional_lists.push_back(read_tensor_list<std::optional<Tensor>>(call));
      return EValue(call.optional_lists.back()->list.get());
    case 'b':
      call.bool_lists.push_back(read_plain_list<bool>([] { return read_int() != 0; }));
      return EValue(&call.bool_lists.back()->list);
    case 'd':
      call.double_lists.push_back(read_plain_list<double>(read_double));
      return EValue(&call.double_lists.back()->list);
    case 'S':
      call.strings.push_back(read_plain_list<char>(read_int));
      return EValue(&call.strings.back()->list);
    default:
      exit(3);
  }
}

/// The result of symbolic arithmetic as text: its kind, and its value or the bits of a double.
void print_scalar(const EValue& value) {
  if (value.isInt()) {
    printf(" I %" PRId64, value.toInt());
  } else if (value.isBool()) {
    printf(" B %d", value.toBool() ? 1 : 0);
  } else if (value.isDouble()) {
    const double number = value.toDouble();
    int64_t bits;
    memcpy(&bits, &number, sizeof bits);
    printf(" D %" PRId64, bits);
  } else {
    printf(" - 0");
  }
}

void serve(const std::string& name) {
  Call request;
  const size_t count = static_cast<size_t>(read_int());
  request.values.reserve(count);
  request.pointers.reserve(count + 1);
  for (size_t i = 0; i < count; ++i) {
    const char kind = read_kind();
    if (kind == 'R') {
      request.pointers.push_back(request.pointers.at(static_cast<size_t>(read_int())));
      continue;
    }
    request.values.push_back(read_value(request, kind));
    request.pointers.push_back(&request.values.back());
  }
  auto& pointers = request.pointers;
  auto& tensors = request.tensors;

  log_text.clear();
  KernelRuntimeContext context;
  if (!call(name, context, {pointers.data(), pointers.size()})) {
    fprintf(stderr, "op_host: no operator %s\n", name.c_str());
    exit(3);
  }
  // The last tensor read is the output; all others must be as they came, which the caller checks
  // by asking for them too.
  printf("%u %zu %zu", static_cast<unsigned>(context.failure_state()), log_text.size(),
         tensors.size());
  print_scalar(count == 0 ? EValue() : *pointers.back());
  for (const auto& tensor : tensors) {
    printf(" %zu", tensor->bytes);
  }
  printf("\n");
  fwrite(log_text.data(), 1, log_text.size(), stdout);
  for (const auto& tensor : tensors) {
    fwrite(tensor->block->data, 1, tensor->bytes, stdout);
  }
  fflush(stdout);
}

}  // namespace

extern "C" void et_pal_emit_log_message(et_timestamp_t, et_pal_log_level_t, const char*,
                                        const char*, size_t, const char* message, size_t length) {
  log_text.append(message, length);
  log_text.push_back('\n');
}

int main() {
  char name[128];
  while (scanf("%127s", name) == 1) {
    serve(name);
  }
  return 0;
}
