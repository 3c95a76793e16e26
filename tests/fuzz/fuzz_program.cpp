// SPDX-License-Identifier: BSD-3-Clause
// Fuzz target: an arbitrary file is loaded as a program, all of its methods are loaded, given
// inputs and run with every operator of the firmware. Nothing may happen but an Error: no access
// outside of a tensor, no abort, no endless work, no byte of the file changed, and one log line for
// a file that is refused.

#include <executorch/runtime/core/data_loader.h>
#include <executorch/runtime/executor/program.h>
#include <executorch/runtime/platform/platform.h>
#include <executorch/runtime/platform/runtime.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <iterator>
#include <memory>
#include <unordered_map>
#include <vector>

#include "op_table.h"

using namespace executorch::runtime;
using executorch::aten::Tensor;
using executorch::aten::TensorImpl;

namespace {

// Bounds that keep one input short: what a file may ask for, and how long it may run.
constexpr size_t kMostFileBytes = 1 << 17;
constexpr size_t kMostMemory = 1 << 18;  // of the method allocator, and of planned buffers and I/O
constexpr size_t kMostMethods = 3;
constexpr int kMostSteps = 200;
constexpr auto kMostTime = std::chrono::milliseconds(100);  // looked at between instructions

int log_lines;

[[noreturn]] void fail(const char* what) {
  fprintf(stderr, "fuzz_program: %s\n", what);
  abort();
}

/// A heap block of exactly `size` bytes at a 16-byte boundary: ASan watches both ends.
class Block {
 public:
  explicit Block(size_t size) : size_(size) {
    void* memory = nullptr;
    if (posix_memalign(&memory, 16, size) != 0) {
      fail("out of memory");
    }
    data_.reset(static_cast<uint8_t*>(memory));
  }
  uint8_t* data() const { return data_.get(); }
  size_t size() const { return size_; }
  bool holds(const void* p) const {
    return std::less_equal<>()(data(), static_cast<const uint8_t*>(p)) &&
           std::less<>()(static_cast<const uint8_t*>(p), data() + size_);
  }

 private:
  struct Free {
    void operator()(uint8_t* p) const { free(p); }
  };
  std::unique_ptr<uint8_t, Free> data_;
  size_t size_;
};

/// Gives each allocation a block of its own.
class BlockAllocator final : public MemoryAllocator {
 public:
  explicit BlockAllocator(size_t most) : MemoryAllocator(0, nullptr), left_(most) {}
  void* allocate(size_t size, size_t) override {
    if (size > left_) {
      ET_LOG(Error, "allocator is full");
      return nullptr;
    }
    left_ -= size;
    blocks_.emplace_back(size);
    return blocks_.back().data();
  }
  void reset() override {}

 private:
  size_t left_;
  std::vector<Block> blocks_;
};

class Loader final : public DataLoader {
 public:
  explicit Loader(const Block& file) : file_(file) {}
  Result<FreeableBuffer> load(size_t offset, size_t size, const SegmentInfo&) const override {
    if (offset > file_.size() || size > file_.size() - offset) {
      ET_LOG(Error, "outside of the file");
      return Error::InvalidArgument;
    }
    return FreeableBuffer(file_.data() + offset, size, nullptr);
  }
  Error load_into(size_t offset, size_t size, const SegmentInfo&, void* buffer) const override {
    if (offset > file_.size() || size > file_.size() - offset) {
      ET_LOG(Error, "outside of the file");
      return Error::InvalidArgument;
    }
    memcpy(buffer, file_.data() + offset, size);
    return Error::Ok;
  }
  Result<size_t> size() const override { return file_.size(); }

 private:
  const Block& file_;
};

// ---- Operators, each tensor in a block of its own ----

// Tensors lie side by side in planned memory and in the file, where the sanitizer sees no end of
// them. So each call gets copies, as large as the tensor was when it was loaded.
std::unordered_map<TensorImpl*, size_t> loaded_bytes;

struct Moved {
  TensorImpl* tensor;
  void* original;
  Block copy;
};

void move_out(const Tensor& tensor, std::vector<Moved>& moved) {
  TensorImpl* impl = tensor.unsafeGetTensorImpl();
  if (impl->data() == nullptr) {
    return;
  }
  for (const Moved& other : moved) {
    if (other.tensor == impl) {
      return;
    }
  }
  const size_t bytes = loaded_bytes.emplace(impl, impl->nbytes()).first->second;
  moved.push_back({impl, impl->mutable_data(), Block(bytes)});
  memcpy(moved.back().copy.data(), moved.back().original, bytes);
}

void call_with_copies(OpFunction function, KernelRuntimeContext& context, Span<EValue*> args) {
  std::vector<Moved> moved;
  for (EValue* value : args) {
    if (value->isTensor()) {
      move_out(value->toTensor(), moved);
    } else if (value->isTensorList()) {
      for (const Tensor& tensor : value->toTensorList()) {
        move_out(tensor, moved);
      }
    } else if (value->isListOptionalTensor()) {
      for (const auto& tensor : value->toListOptionalTensor()) {
        if (tensor.has_value()) {
          move_out(*tensor, moved);
        }
      }
    }
  }
  // Only now: lists are unboxed above, and two tensors may share memory.
  for (Moved& each : moved) {
    each.tensor->set_data(each.copy.data());
  }
  function(context, args);
  // A view without memory of its own now points into the copy of what it looks at.
  for (EValue* value : args) {
    if (value->isTensor()) {
      TensorImpl* impl = value->toTensor().unsafeGetTensorImpl();
      for (const Moved& each : moved) {
        if (impl->data() != nullptr && each.copy.holds(impl->data())) {
          const auto offset = static_cast<const uint8_t*>(impl->data()) - each.copy.data();
          impl->set_data(static_cast<uint8_t*>(each.original) + offset);
          break;
        }
      }
    }
  }
  for (Moved& each : moved) {
    each.tensor->set_data(each.original);
    if (memcmp(each.original, each.copy.data(), each.copy.size()) != 0) {
      memcpy(each.original, each.copy.data(), each.copy.size());
    }
  }
}

bool copies;

template <OpFunction function>
void call(KernelRuntimeContext& context, Span<EValue*> args) {
  if (copies) {
    call_with_copies(function, context, args);
  } else {
    function(context, args);
  }
}

volatile size_t sink;

void touch(const Tensor& tensor) {
  const uint8_t* data = static_cast<const uint8_t*>(tensor.const_data_ptr());
  for (size_t i = 0; i < tensor.nbytes(); ++i) {
    sink = data[i];
  }
  for (size_t i = 0; i < static_cast<size_t>(tensor.dim()); ++i) {
    sink = static_cast<size_t>(tensor.sizes()[i] + tensor.strides()[i] + tensor.dim_order()[i]);
  }
}

/// Stands in for the operators of tests/runtime/programs.py: reads all that it is given.
void touch_all(KernelRuntimeContext&, Span<EValue*> args) {
  for (EValue* value : args) {
    if (value->isTensor()) {
      touch(value->toTensor());
    } else if (value->isString()) {
      std::for_each(value->toString().begin(), value->toString().end(),
                    [](char c) { sink = static_cast<size_t>(c); });
    } else if (value->isIntList()) {
      for (int64_t item : value->toIntList()) {
        sink = static_cast<size_t>(item);
      }
    } else if (value->isDoubleList()) {
      for (double item : value->toDoubleList()) {
        sink = item > 0;
      }
    } else if (value->isBoolList()) {
      for (bool item : value->toBoolList()) {
        sink = item;
      }
    } else if (value->isTensorList()) {
      for (const Tensor& item : value->toTensorList()) {
        touch(item);
      }
    } else if (value->isListOptionalTensor()) {
      for (const auto& item : value->toListOptionalTensor()) {
        if (item.has_value()) {
          touch(*item);
        }
      }
    }
  }
}

#define OPERATOR(name, function) Kernel(name, call<mcugen::ops::function>),
const Kernel kKernels[] = {FUZZ_OPERATORS Kernel("test::add.out", call<touch_all>),
                           Kernel("test::copy.out", call<touch_all>),
                           Kernel("test::sum.out", call<touch_all>)};
#undef OPERATOR

// ---- One program ----

uint32_t random_state;
uint8_t next_byte() {
  random_state ^= random_state << 13;
  random_state ^= random_state >> 17;
  random_state ^= random_state << 5;
  return static_cast<uint8_t>(random_state >> 8);
}

struct Memory {
  size_t left = kMostMemory;
  std::vector<Block> blocks;

  uint8_t* take(size_t bytes) {
    if (bytes > left) {
      return nullptr;
    }
    left -= bytes;
    blocks.emplace_back(bytes);
    uint8_t* data = blocks.back().data();
    std::generate(data, data + bytes, next_byte);
    return data;
  }
};

void read_meta(const MethodMeta& meta) {
  for (size_t i = 0; i < meta.num_inputs(); ++i) {
    sink = meta.input_tag(i).ok();
    if (auto info = meta.input_tensor_meta(i); info.ok()) {
      sink = info->nbytes() + info->name().size() + info->sizes().size();
    }
  }
  for (size_t i = 0; i < meta.num_outputs(); ++i) {
    sink = meta.output_tag(i).ok();
    if (auto info = meta.output_tensor_meta(i); info.ok()) {
      sink = info->nbytes() + info->dim_order().size();
    }
  }
  for (size_t i = 0; i < meta.num_attributes(); ++i) {
    if (auto info = meta.attribute_tensor_meta(i); info.ok()) {
      sink = info->nbytes() + info->name().size();
    }
  }
  sink = meta.num_instructions();
}

void set_inputs(Method& method, Memory& memory) {
  for (size_t i = 0; i < method.inputs_size(); ++i) {
    const EValue& input = method.get_input(i);
    if (!input.isTensor()) {
      (void)method.set_input(EValue(input), i);
      continue;
    }
    const Tensor& to = input.toTensor();
    std::vector<int32_t> sizes(to.sizes().begin(), to.sizes().end());
    std::vector<uint8_t> order(to.dim_order().begin(), to.dim_order().end());
    loaded_bytes.emplace(to.unsafeGetTensorImpl(), to.nbytes());
    if (!sizes.empty() && random_state % 8 == 0) {
      sizes[random_state % sizes.size()] /= 2;  // fits a tensor with a bound, is refused elsewhere
    }
    uint8_t* data = memory.take(to.nbytes());
    if (data == nullptr) {
      continue;
    }
    if (to.scalar_type() == executorch::aten::ScalarType::Bool) {
      std::for_each(data, data + to.nbytes(), [](uint8_t& byte) { byte &= 1; });
    }
    TensorImpl impl(to.scalar_type(), static_cast<ssize_t>(sizes.size()), sizes.data(), data,
                    order.data());
    (void)method.set_input(EValue(Tensor(&impl)), i);
  }
}

void set_outputs(Method& method, Memory& memory) {
  for (size_t i = 0; i < method.outputs_size(); ++i) {
    const EValue& output = method.get_output(i);
    if (!output.isTensor() || output.toTensor().const_data_ptr() != nullptr) {
      continue;
    }
    const size_t bytes = output.toTensor().nbytes();
    if (uint8_t* data = memory.take(bytes)) {
      (void)method.set_output_data_ptr(data, bytes, i);
    }
  }
}

// By single steps, which bounds what a loop may do.
void run(Method& method) {
  const auto end = std::chrono::steady_clock::now() + kMostTime;
  for (int step = 0; step < kMostSteps && std::chrono::steady_clock::now() < end; ++step) {
    log_lines = 0;
    const Error error = method.step();
    if (error != Error::Ok) {
      if (error != Error::EndOfMethod && log_lines == 0) {
        fail("an instruction failed without a word");
      }
      return;
    }
  }
}
void try_method(const Program& program, const char* name) {
  Result<MethodMeta> meta = program.method_meta(name);
  if (!meta.ok()) {
    return;
  }
  read_meta(*meta);
  Memory memory;
  std::vector<Span<uint8_t>> spans;
  for (size_t i = 0; i < meta->num_memory_planned_buffers(); ++i) {
    Result<int64_t> bytes = meta->memory_planned_buffer_size(i);
    uint8_t* data = bytes.ok() && *bytes >= 0 ? memory.take(static_cast<size_t>(*bytes)) : nullptr;
    if (data == nullptr) {
      return;
    }
    spans.emplace_back(data, static_cast<size_t>(*bytes));
  }
  HierarchicalAllocator planned({spans.data(), spans.size()});
  BlockAllocator method_allocator(kMostMemory);
  BlockAllocator temp_allocator(kMostMemory);
  MemoryManager manager(&method_allocator, &planned, &temp_allocator);
  loaded_bytes.clear();
  log_lines = 0;
  Result<Method> method = program.load_method(name, &manager, nullptr, nullptr, nullptr,
                                              {kKernels, std::size(kKernels)});
  if (!method.ok()) {
    if (log_lines != 1) {
      fail("load_method() failed, and did not say so in one line");
    }
    return;
  }
  set_inputs(*method, memory);
  set_outputs(*method, memory);
  run(*method);
}

void try_program(const Block& file) {
  Loader loader(file);
  log_lines = 0;
  const auto verification = random_state % 2 != 0 ? Program::Verification::InternalConsistency
                                                  : Program::Verification::Minimal;
  Result<Program> program = Program::load(&loader, verification);
  if (!program.ok()) {
    if (log_lines != 1) {
      fail("Program::load() failed, and did not say so in one line");
    }
    return;
  }
  for (size_t i = 0; i < program->num_methods() && i < kMostMethods; ++i) {
    Result<const char*> name = program->get_method_name(i);
    if (name.ok()) {
      try_method(*program, *name);
    }
  }
}

}  // namespace

extern "C" void et_pal_emit_log_message(et_timestamp_t, et_pal_log_level_t, const char* filename,
                                        const char*, size_t line, const char* message, size_t) {
  static const bool echo = getenv("ECHO") != nullptr;
  ++log_lines;
  if (echo) {
    fprintf(stderr, "%s:%zu %s\n", filename, line, message);
  }
}

extern "C" void et_pal_abort() { fail("the runtime aborted"); }

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size > kMostFileBytes) {
    return 0;
  }
  runtime_init();
  Block file(size);
  uint32_t hash = 2166136261u;
  for (size_t i = 0; i < size; ++i) {
    file.data()[i] = data[i];
    hash = (hash ^ data[i]) * 16777619u;
  }
  random_state = hash | 1;
  copies = hash >> 24 < 192;  // in the other runs tensors really overlap where the file says so
  try_program(file);
  if (memcmp(file.data(), data, size) != 0) {
    fail("the file was written to: in flash that is a fault");
  }
  return 0;
}
