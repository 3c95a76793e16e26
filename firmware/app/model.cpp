// SPDX-License-Identifier: BSD-3-Clause
#include <app/app_config.h>
#include <app/crc32.h>
#include <app/log.h>
#include <app/model.h>
#include <executorch/extension/data_loader/buffer_data_loader.h>
#include <executorch/runtime/core/exec_aten/util/dim_order_util.h>
#include <executorch/runtime/core/exec_aten/util/tensor_dimension_limit.h>
#include <executorch/runtime/executor/memory_manager.h>
#include <executorch/runtime/executor/method.h>
#include <executorch/runtime/executor/program.h>
#include <executorch/runtime/platform/runtime.h>
#include <port/cycle_counter.h>

#include <cstring>
#include <new>
#include <utility>

namespace mcugen {
namespace {

using executorch::aten::Tensor;
using executorch::aten::TensorImpl;
using executorch::extension::BufferDataLoader;
using executorch::runtime::Error;
using executorch::runtime::EValue;
using executorch::runtime::HierarchicalAllocator;
using executorch::runtime::kTensorDimensionLimit;
using executorch::runtime::MemoryAllocator;
using executorch::runtime::MemoryManager;
using executorch::runtime::Method;
using executorch::runtime::MethodMeta;
using executorch::runtime::Program;
using executorch::runtime::Result;
using executorch::runtime::Span;
using executorch::runtime::Tag;
using executorch::runtime::TensorInfo;

constexpr size_t kIoAlignment = 16;

/// Room for an object that is made at boot: no static constructor, no heap.
template <typename T>
class Slot {
 public:
  template <typename... Args>
  T& emplace(Args&&... args) {
    made_ = true;
    return *new (storage_) T(std::forward<Args>(args)...);
  }
  bool made() const { return made_; }
  T& operator*() { return *std::launder(reinterpret_cast<T*>(storage_)); }
  T* operator->() { return &**this; }

 private:
  alignas(T) unsigned char storage_[sizeof(T)];
  bool made_;
};

/// The runtime resets the temp allocator after every kernel; we want to know the most it held.
class PeakAllocator final : public MemoryAllocator {
 public:
  using MemoryAllocator::MemoryAllocator;
  void* allocate(size_t size, size_t alignment) override {
    void* memory = MemoryAllocator::allocate(size, alignment);
    peak_ = used_size() > peak_ ? used_size() : peak_;
    return memory;
  }
  size_t peak() const { return peak_; }

 private:
  size_t peak_ = 0;
};

Slot<BufferDataLoader> g_loader;
Slot<Program> g_program;
Slot<MethodMeta> g_meta;
Slot<MemoryAllocator> g_method_allocator;
Slot<PeakAllocator> g_temp_allocator;
Slot<HierarchicalAllocator> g_planned_memory;
Slot<MemoryManager> g_memory_manager;
Slot<Method> g_method;
size_t g_io_used;
bool g_ready;
bool g_has_result;
const char* g_failed_step;  // nullptr: nothing has failed
Error g_failed_code;        // Ok: the step says it all

bool fail(const char* step, Error code) {
  g_failed_step = step;
  g_failed_code = code;
  return false;
}

size_t round_up(size_t bytes) { return (bytes + kIoAlignment - 1) & ~(kIoAlignment - 1); }

// Take `bytes` of io_pool at `*offset`. Never wraps: nbytes of a checked tensor is far below 2^31.
uint8_t* take_io(size_t bytes, size_t* offset) {
  uint8_t* data = kAppConfig.io_pool.data() + *offset;
  *offset += round_up(bytes);
  return data;
}

// Walks the layout of io_pool: inputs in order, then outputs that are not memory-planned. There are
// one or two of each: walking costs less than a table.
size_t io_offset_of_input(size_t index) {
  size_t offset = 0;
  for (size_t i = 0; i < index; ++i) {
    take_io(g_meta->input_tensor_meta(i)->nbytes(), &offset);
  }
  return offset;
}

bool check_crc() {
  if (crc32(kAppConfig.pte, kAppConfig.pte_bytes) != kAppConfig.pte_crc32) {
    return fail("model CRC mismatch", Error::Ok);
  }
  return true;
}

bool load_program() {
  BufferDataLoader& loader = g_loader.emplace(kAppConfig.pte, kAppConfig.pte_bytes);
  Result<Program> program = Program::load(&loader);
  if (!program.ok()) {
    return fail("Program::load", program.error());
  }
  g_program.emplace(std::move(program.get()));
  return true;
}

// All inputs and outputs must be tensors, and io_pool must hold what belongs there.
bool read_meta() {
  Result<MethodMeta> meta = g_program->method_meta(kAppConfig.method_name);
  if (!meta.ok()) {
    return fail("method_meta", meta.error());
  }
  size_t needed = 0;
  for (size_t i = 0; i < meta->num_inputs(); ++i) {
    Result<TensorInfo> info = meta->input_tensor_meta(i);
    if (!info.ok()) {
      return fail("input is not a tensor", info.error());
    }
    needed += round_up(info->nbytes());
  }
  for (size_t i = 0; i < meta->num_outputs(); ++i) {
    Result<TensorInfo> info = meta->output_tensor_meta(i);
    if (!info.ok()) {
      return fail("output is not a tensor", info.error());
    }
    if (!info->is_memory_planned()) {
      needed += round_up(info->nbytes());
    }
  }
  g_io_used = needed;
  if (needed > kAppConfig.io_pool.size()) {
    return fail("io pool too small", Error::MemoryAllocationFailed);
  }
  g_meta.emplace(meta.get());
  std::memset(kAppConfig.io_pool.data(), 0, kAppConfig.io_pool.size());
  return true;
}

bool load_method() {
  const Span<uint8_t>& method_pool = kAppConfig.method_pool;
  const Span<uint8_t>& temp_pool = kAppConfig.temp_pool;
  // The allocator takes spans it may change, but only reads them: they can stay in flash.
  Span<uint8_t>* planned = const_cast<Span<uint8_t>*>(kAppConfig.planned_buffers);
  MemoryManager& memory_manager = g_memory_manager.emplace(
      &g_method_allocator.emplace(static_cast<uint32_t>(method_pool.size()), method_pool.data()),
      &g_planned_memory.emplace(Span<Span<uint8_t>>(planned, kAppConfig.num_planned_buffers)),
      &g_temp_allocator.emplace(static_cast<uint32_t>(temp_pool.size()), temp_pool.data()));
  Result<Method> method = g_program->load_method(
      kAppConfig.method_name, &memory_manager, /*event_tracer=*/nullptr,
      /*named_data_map=*/nullptr, /*backend_options=*/nullptr, kAppConfig.kernels);
  if (!method.ok()) {
    return fail("load_method", method.error());
  }
  g_method.emplace(std::move(method.get()));
  return true;
}

bool place_outputs() {
  size_t offset = io_offset_of_input(g_meta->num_inputs());
  for (size_t i = 0; i < g_meta->num_outputs(); ++i) {
    Result<TensorInfo> info = g_meta->output_tensor_meta(i);
    if (info->is_memory_planned()) {
      continue;
    }
    uint8_t* data = take_io(info->nbytes(), &offset);
    const Error error = g_method->set_output_data_ptr(data, info->nbytes(), i);
    if (error != Error::Ok) {
      return fail("set_output_data_ptr", error);
    }
  }
  return true;
}

bool set_inputs() {
  for (size_t i = 0; i < g_meta->num_inputs(); ++i) {
    Result<TensorInfo> info = g_meta->input_tensor_meta(i);
    const size_t dims = info->sizes().size();
    TensorImpl::StridesType strides[kTensorDimensionLimit];
    Error error = dims <= kTensorDimensionLimit ? Error::Ok : Error::NotSupported;
    if (error == Error::Ok) {
      error = executorch::runtime::dim_order_to_stride(info->sizes().data(),
                                                       info->dim_order().data(), dims, strides);
    }
    TensorBytes staging;
    if (error == Error::Ok && model_input(i, &staging)) {
      // The runtime copies from this tensor; it changes neither sizes nor order.
      TensorImpl impl(info->scalar_type(), static_cast<ssize_t>(dims),
                      const_cast<TensorImpl::SizesType*>(info->sizes().data()), staging.data,
                      const_cast<TensorImpl::DimOrderType*>(info->dim_order().data()), strides);
      error = g_method->set_input(EValue(Tensor(&impl)), i);
    }
    if (error != Error::Ok) {
      return fail("set_input", error);
    }
  }
  return true;
}

}  // namespace

void model_load() {
  log_reset_first_error();
  executorch::runtime::runtime_init();
  g_ready = check_crc() && load_program() && read_meta() && load_method() && place_outputs();
}

bool model_ready() { return g_ready; }

void model_describe_error(TextWriter& out) {
  out.text(g_failed_step == nullptr ? "none" : g_failed_step);
  if (g_failed_code == Error::Ok) {
    return;
  }
  out.text(": ");
  out.hex(static_cast<uint32_t>(g_failed_code), 2);
  if (log_first_error()[0] != '\0') {
    out.character(' ');
    out.text(log_first_error());
  }
}

size_t model_num_inputs() { return g_meta.made() ? g_meta->num_inputs() : 0; }

size_t model_num_outputs() { return g_meta.made() ? g_meta->num_outputs() : 0; }

bool model_input(size_t index, TensorBytes* tensor) {
  if (index >= model_num_inputs()) {
    return false;
  }
  Result<TensorInfo> info = g_meta->input_tensor_meta(index);
  tensor->data = kAppConfig.io_pool.data() + io_offset_of_input(index);
  tensor->bytes = info->nbytes();
  tensor->dtype = static_cast<int8_t>(info->scalar_type());
  return true;
}

bool model_output(size_t index, TensorBytes* tensor) {
  if (index >= model_num_outputs()) {
    return false;
  }
  Result<TensorInfo> info = g_meta->output_tensor_meta(index);
  tensor->data = nullptr;
  tensor->bytes = info->nbytes();
  tensor->dtype = static_cast<int8_t>(info->scalar_type());
  if (g_ready) {
    tensor->data = static_cast<uint8_t*>(g_method->get_output(index).toTensor().mutable_data_ptr());
  }
  return true;
}

bool model_has_result() { return g_has_result; }

bool model_execute(uint64_t* ticks) {
  *ticks = 0;
  if (!g_ready) {
    return false;
  }
  g_has_result = false;
  log_reset_first_error();
  if (!set_inputs()) {
    return false;
  }
  cycle_counter_start();
  const Error error = g_method->execute();
  *ticks = cycle_counter_elapsed();
  if (error != Error::Ok) {
    return fail("execute", error);
  }
  g_has_result = true;
  return true;
}

MemoryUse model_memory() {
  MemoryUse use{};
  for (size_t i = 0; i < kAppConfig.num_planned_buffers; ++i) {
    use.planned.total += kAppConfig.planned_buffers[i].size();
  }
  if (g_meta.made()) {
    for (size_t i = 0; i < g_meta->num_memory_planned_buffers(); ++i) {
      Result<int64_t> bytes = g_meta->memory_planned_buffer_size(i);
      use.planned.used += bytes.ok() ? static_cast<size_t>(bytes.get()) : 0;
    }
  }
  use.method = {g_method_allocator.made() ? g_method_allocator->used_size() : 0,
                kAppConfig.method_pool.size()};
  use.temp = {g_temp_allocator.made() ? g_temp_allocator->peak() : 0, kAppConfig.temp_pool.size()};
  use.io = {g_io_used, kAppConfig.io_pool.size()};
  return use;
}

}  // namespace mcugen
