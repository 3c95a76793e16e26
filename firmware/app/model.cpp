// SPDX-License-Identifier: BSD-3-Clause
#include <app/crc32.h>
#include <app/log.h>
#include <app/model.h>
#include <app/model_store.h>
#include <app/peak_allocator.h>
#include <app/scalars.h>
#include <executorch/runtime/core/data_loader.h>
#include <executorch/runtime/executor/memory_manager.h>
#include <executorch/runtime/executor/method.h>
#include <executorch/runtime/executor/program.h>
#include <executorch/runtime/platform/runtime.h>
#include <port/cycle_counter.h>

#include <cstdint>
#include <cstring>
#include <new>
#include <utility>

namespace mcugen {
namespace {

using executorch::aten::Tensor;
using executorch::aten::TensorImpl;
using executorch::runtime::DataLoader;
using executorch::runtime::Error;
using executorch::runtime::EValue;
using executorch::runtime::FreeableBuffer;
using executorch::runtime::HierarchicalAllocator;
using executorch::runtime::MemoryAllocator;
using executorch::runtime::MemoryManager;
using executorch::runtime::Method;
using executorch::runtime::MethodMeta;
using executorch::runtime::Program;
using executorch::runtime::Result;
using executorch::runtime::Span;
using executorch::runtime::TensorInfo;

constexpr size_t kIoAlignment = 16;
// A file may ask for a loop without end, and step() does not count. execute() does.
constexpr size_t kMaxSteps = 1u << 20;
constexpr size_t kMaxIoBytes = SIZE_MAX / 2 / kIoAlignment * kIoAlignment;

/// Room for an object that is made at boot: no static constructor, no heap.
template <typename T>
struct Slot {
  template <typename... Args>
  T& emplace(Args&&... args) {
    return *new (storage) T(std::forward<Args>(args)...);
  }

  alignas(T) unsigned char storage[sizeof(T)];
};

#if defined(MCUGEN_UPSTREAM)
/// ExecuTorch's own runtime returns a bare MemoryAllocationFailed where its log is compiled out.
template <const char* name, typename Base>
class TellingAllocator final : public Base {
 public:
  using Base::Base;
  void* allocate(size_t size, size_t alignment) override {
    void* memory = Base::allocate(size, alignment);
    if (memory == nullptr) {
      log_out_of_memory(name, size, this->free_size(), this->size());
    }
    return memory;
  }
};
constexpr char kMethodName[] = "method allocator";
constexpr char kTempName[] = "temp allocator";
using MethodAllocator = TellingAllocator<kMethodName, MemoryAllocator>;
using TempAllocator = TellingAllocator<kTempName, PeakAllocator>;
#else
using MethodAllocator = MemoryAllocator;
using TempAllocator = PeakAllocator;
#endif

/// Hands out the `.pte` where it lies. As extension::BufferDataLoader, without its 500 bytes of
/// messages: the runtime checks the file's offsets itself before it asks.
class MemoryLoader final : public DataLoader {
 public:
  Result<FreeableBuffer> load(size_t offset, size_t size, const SegmentInfo&) const override {
    if (!inside(offset, size)) {
      return Error::InvalidArgument;
    }
    return FreeableBuffer(model_config().pte + offset, size, /*free_fn=*/nullptr);
  }
  Error load_into(size_t offset, size_t size, const SegmentInfo&, void* buffer) const override {
    if (!inside(offset, size) || buffer == nullptr) {
      return Error::InvalidArgument;
    }
    std::memcpy(buffer, model_config().pte + offset, size);
    return Error::Ok;
  }
  Result<size_t> size() const override { return model_config().pte_bytes; }

 private:
  static bool inside(size_t offset, size_t size) {
    return offset <= model_config().pte_bytes && size <= model_config().pte_bytes - offset;
  }
};

Slot<MemoryLoader> g_loader_slot;
Slot<Result<Program>> g_program_slot;  // a Result is kept as it is returned: moving it costs code
Slot<Result<MethodMeta>> g_meta_slot;
Slot<Result<Method>> g_method_slot;
Slot<MethodAllocator> g_method_allocator_slot;
Slot<TempAllocator> g_temp_allocator_slot;
Slot<HierarchicalAllocator> g_planned_memory_slot;
Slot<MemoryManager> g_memory_manager_slot;

// What is in the slots; nullptr until it has been made and found usable.
Program* g_program;
MethodMeta* g_meta;
Method* g_method;
MemoryAllocator* g_method_allocator;
PeakAllocator* g_temp_allocator;
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

// The only place that unpacks a TensorInfo for its size; each use of a Result costs some code.
Error read_facts(MethodMeta& meta, Side side, size_t index, IoFacts* facts) {
  if (scalar_facts(meta, side, index, facts)) {
    return Error::Ok;
  }
  Result<TensorInfo> result =
      side == Side::kInput ? meta.input_tensor_meta(index) : meta.output_tensor_meta(index);
  if (!result.ok()) {
    return result.error();
  }
  const TensorInfo& info = result.get();
  *facts = {info.nbytes(), static_cast<int8_t>(info.scalar_type()), info.is_memory_planned()};
  return Error::Ok;
}

// Walks the layout of io_pool up to an input, or to an output that is not memory-planned. There are
// one or two of each: walking costs less than a table. All facts were read once in read_meta().
uint8_t* io_address(Side side, size_t index) {
  uint8_t* address = model_config().io_pool.data();
  const size_t num_inputs = g_meta->num_inputs();
  const size_t end = side == Side::kInput ? index : num_inputs + index;
  for (size_t i = 0; i < end; ++i) {
    IoFacts facts{};
    const bool is_input = i < num_inputs;
    const Error error = read_facts(*g_meta, is_input ? Side::kInput : Side::kOutput,
                                   is_input ? i : i - num_inputs, &facts);
    if (error == Error::Ok && (is_input || !facts.planned)) {
      address += round_up(facts.bytes);
    }
  }
  return address;
}

uint8_t* input_address(size_t index) { return io_address(Side::kInput, index); }

uint8_t* output_address(size_t index) { return io_address(Side::kOutput, index); }

bool check_crc() {
  if (crc32(model_config().pte, model_config().pte_bytes) != model_config().pte_crc32) {
    return fail("model CRC mismatch", Error::Ok);
  }
  return true;
}

bool load_program() {
  auto& program =
      *new (g_program_slot.storage) Result<Program>(Program::load(&g_loader_slot.emplace()));
  if (!program.ok()) {
    return fail("Program::load", program.error());
  }
  g_program = &program.get();
  const Error error = model_store_choose_method(*g_program);
  return error == Error::Ok || fail("method_meta", error);
}

// All inputs and outputs must be tensors, and io_pool must hold what belongs there.
bool read_meta() {
  auto& result = *new (g_meta_slot.storage)
                     Result<MethodMeta>(g_program->method_meta(model_config().method_name));
  if (!result.ok()) {
    return fail("method_meta", result.error());
  }
  MethodMeta& meta = result.get();
  for (size_t i = 0; i < meta.num_inputs() + meta.num_outputs(); ++i) {
    const bool is_input = i < meta.num_inputs();
    IoFacts facts{};
    const Error error = read_facts(meta, is_input ? Side::kInput : Side::kOutput,
                                   is_input ? i : i - meta.num_inputs(), &facts);
    if (error != Error::Ok) {
      return fail(is_input ? "input is not a tensor" : "output is not a tensor", error);
    }
    if (is_input || !facts.planned) {
      if (facts.bytes > kMaxIoBytes - g_io_used) {  // nor may the sum overflow
        return fail("inputs and outputs too large", Error::InvalidProgram);
      }
      g_io_used += round_up(facts.bytes);
    }
  }
  const char* step = nullptr;
  const Error error = model_store_place(meta, g_io_used, &step);
  if (error != Error::Ok) {
    return fail(step, error);
  }
  g_meta = &meta;
  std::memset(model_config().io_pool.data(), 0, model_config().io_pool.size());
  return true;
}

bool load_method() {
  const Span<uint8_t>& method_pool = model_config().method_pool;
  const Span<uint8_t>& temp_pool = model_config().temp_pool;
  // The allocator takes spans it may change, but only reads them: they can stay in flash.
  Span<uint8_t>* planned = const_cast<Span<uint8_t>*>(model_config().planned_buffers);
  g_method_allocator = &g_method_allocator_slot.emplace(static_cast<uint32_t>(method_pool.size()),
                                                        method_pool.data());
  g_temp_allocator = model_store_temp_allocator();
  if (g_temp_allocator == nullptr) {
    g_temp_allocator =
        &g_temp_allocator_slot.emplace(static_cast<uint32_t>(temp_pool.size()), temp_pool.data());
  }
  HierarchicalAllocator& planned_memory = g_planned_memory_slot.emplace(
      Span<Span<uint8_t>>(planned, model_config().num_planned_buffers));
  MemoryManager& memory_manager =
      g_memory_manager_slot.emplace(g_method_allocator, &planned_memory, g_temp_allocator);
  auto& method = *new (g_method_slot.storage) Result<Method>(g_program->load_method(
      model_config().method_name, &memory_manager, /*event_tracer=*/nullptr,
      /*named_data_map=*/nullptr, /*backend_options=*/nullptr, model_config().kernels));
  if (!method.ok()) {
    return fail("load_method", method.error());
  }
  g_method = &method.get();
  return true;
}

bool place_outputs() {
  for (size_t i = 0; i < g_meta->num_outputs(); ++i) {
    IoFacts facts{};
    if (scalar_facts(*g_meta, Side::kOutput, i, &facts)) {
      continue;
    }
    Error error = read_facts(*g_meta, Side::kOutput, i, &facts);
    // An output that is a constant of the model has its data already.
    if (error == Error::Ok && !facts.planned &&
        g_method->get_output(i).toTensor().const_data_ptr() == nullptr) {
      error = g_method->set_output_data_ptr(io_address(Side::kOutput, i), facts.bytes, i);
    }
    if (error != Error::Ok) {
      return fail("set_output_data_ptr", error);
    }
  }
  scalars_stage(*g_meta, *g_method, input_address);
  return true;
}

Error set_input(size_t index) {
  Error error = Error::Ok;
  if (scalar_set_input(*g_meta, *g_method, index, input_address, &error)) {
    return error;
  }
  Result<TensorInfo> result = g_meta->input_tensor_meta(index);
  if (!result.ok()) {
    return result.error();
  }
  const TensorInfo& info = result.get();
  const Span<const int32_t> sizes = info.sizes();
  const Span<const uint8_t> dim_order = info.dim_order();
  // The method copies from this tensor, or keeps its data pointer; it changes neither its sizes
  // nor its order, which lie in flash. It does not read strides: they follow from the order.
  TensorImpl impl(info.scalar_type(), static_cast<ssize_t>(sizes.size()),
                  const_cast<TensorImpl::SizesType*>(sizes.data()), io_address(Side::kInput, index),
                  const_cast<TensorImpl::DimOrderType*>(dim_order.data()));
  return g_method->set_input(EValue(Tensor(&impl)), index);
}

// The API declares stepping experimental, by the attribute for what is deprecated.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"
Error execute_steps(StepTicks* steps) {
  uint32_t last = 0;
  Error error = Error::Ok;
  for (size_t i = 0; (error = g_method->step()) == Error::Ok; ++i) {
    const uint32_t now = static_cast<uint32_t>(cycle_counter_elapsed());
    if (i >= steps->first && steps->count < steps->room) {
      const uint32_t ticks = now - last;
      std::memcpy(steps->ticks + sizeof(ticks) * steps->count++, &ticks, sizeof(ticks));
    }
    last = now;
    if (i == kMaxSteps) {
      g_ready = false;  // it can only be loaded again
      return Error::InvalidProgram;
    }
  }
  return error == Error::EndOfMethod ? g_method->reset_execution() : error;
}
#pragma GCC diagnostic pop

// steps: nullptr, or what to keep of each instruction.
bool execute(uint64_t* ticks, StepTicks* steps) {
  *ticks = 0;
  if (!g_ready) {
    return false;
  }
  g_has_result = false;
  log_reset_first_error();
  for (size_t i = 0; i < g_meta->num_inputs(); ++i) {
    const Error error = set_input(i);
    if (error != Error::Ok) {
      return fail("set_input", error);
    }
  }
  cycle_counter_start();
  const Error error = steps == nullptr ? g_method->execute() : execute_steps(steps);
  *ticks = cycle_counter_elapsed();
  if (error != Error::Ok) {
    return fail("execute", error);
  }
  g_has_result = true;
  return true;
}

}  // namespace

void model_unload() {
  g_ready = false;
  g_has_result = false;
  // Destroyed in the opposite order of being made; the slots of what failed hold an Error only.
  if (g_method != nullptr) {
    g_method->~Method();
  }
  if (g_meta != nullptr) {
    g_meta->~MethodMeta();
  }
  if (g_program != nullptr) {
    g_program->~Program();
  }
  g_method = nullptr;
  g_meta = nullptr;
  g_program = nullptr;
  g_method_allocator = nullptr;
  g_temp_allocator = nullptr;
  g_io_used = 0;
  fail(nullptr, Error::Ok);
  log_reset_first_error();
}

void model_load() {
  log_reset_first_error();
  executorch::runtime::runtime_init();
  g_ready = check_crc() && load_program() && read_meta() && load_method() && place_outputs();
}

bool model_ready() { return g_ready; }

void model_describe_error(TextWriter& out) {
  out.text(g_failed_step != nullptr ? g_failed_step : model_store_empty() ? "no model" : "none");
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

bool model_input(size_t index, TensorBytes* tensor) {
  IoFacts facts{};
  if (g_meta == nullptr || index >= g_meta->num_inputs() ||
      read_facts(*g_meta, Side::kInput, index, &facts) != Error::Ok) {
    return false;
  }
  *tensor = {io_address(Side::kInput, index), facts.bytes, facts.dtype};
  return true;
}

bool model_output(size_t index, TensorBytes* tensor) {
  IoFacts facts{};
  if (g_meta == nullptr || index >= g_meta->num_outputs() ||
      read_facts(*g_meta, Side::kOutput, index, &facts) != Error::Ok) {
    return false;
  }
  *tensor = {nullptr, facts.bytes, facts.dtype};
  if (g_ready) {
    const EValue& value = g_method->get_output(index);
    if (scalar_read_output(value, facts.bytes, index, output_address, &tensor->data)) {
      return true;
    }
    tensor->data = static_cast<uint8_t*>(value.toTensor().mutable_data_ptr());
  }
  return true;
}

bool model_has_result() { return g_has_result; }

bool model_execute(uint64_t* ticks) { return execute(ticks, nullptr); }

bool model_execute_steps(uint64_t* ticks, StepTicks* steps) { return execute(ticks, steps); }

MemoryUse model_memory() {
  MemoryUse use{};
  for (size_t i = 0; i < model_config().num_planned_buffers; ++i) {
    use.planned.total += model_config().planned_buffers[i].size();
  }
  if (g_meta != nullptr) {
    for (size_t i = 0; i < g_meta->num_memory_planned_buffers(); ++i) {
      Result<int64_t> bytes = g_meta->memory_planned_buffer_size(i);
      use.planned.used += bytes.ok() ? static_cast<size_t>(bytes.get()) : 0;
    }
  }
  use.method = {g_method_allocator != nullptr ? g_method_allocator->used_size() : 0,
                model_config().method_pool.size()};
  use.temp = {g_temp_allocator != nullptr ? g_temp_allocator->peak() : 0,
              model_config().temp_pool.size()};
  use.io = {g_io_used, model_config().io_pool.size()};
  return use;
}

}  // namespace mcugen
