// SPDX-License-Identifier: BSD-3-Clause
// The runtime on the host, under ASan and UBSan, and on an emulated Cortex-M4. One command per test
// of test_runtime.py; exits with 1 and a line per failed check.

#include <executorch/extension/data_loader/buffer_data_loader.h>
#include <executorch/runtime/core/exec_aten/util/tensor_shape_to_c_string.h>
#include <executorch/runtime/core/exec_aten/util/tensor_util.h>
#include <executorch/runtime/executor/program.h>
#include <executorch/runtime/platform/clock.h>
#include <executorch/runtime/platform/runtime.h>
#include <malloc.h>
#include <runtime/devtools/instruction_counters.h>
#include <runtime/schema/program_reader.h>
#include <runtime/schema/verify_program.h>

#include <algorithm>
#include <cinttypes>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <limits>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "kernels.h"

#pragma GCC diagnostic ignored "-Wdeprecated-declarations"  // step() and friends are to be tested.

using executorch::aten::ScalarType;
using executorch::aten::Tensor;
using executorch::aten::TensorImpl;
using executorch::extension::BufferDataLoader;
using executorch::runtime::Error;
using executorch::runtime::EValue;
using executorch::runtime::HierarchicalAllocator;
using executorch::runtime::Kernel;
using executorch::runtime::KernelKey;
using executorch::runtime::KernelRuntimeContext;
using executorch::runtime::MemoryAllocator;
using executorch::runtime::MemoryManager;
using executorch::runtime::Method;
using executorch::runtime::MethodMeta;
using executorch::runtime::Program;
using executorch::runtime::Result;
using executorch::runtime::Span;
using executorch::runtime::Tag;
using executorch::runtime::TensorMeta;

static int failures = 0;
static int log_lines = 0;
static std::string last_line;
static bool echo = getenv("ECHO") != nullptr;

#define EXPECT(condition)                                         \
  do {                                                            \
    if (!(condition)) {                                           \
      printf("%s:%d: %s\n", __FILE_NAME__, __LINE__, #condition); \
      ++failures;                                                 \
    }                                                             \
  } while (0)

extern "C" void et_pal_emit_log_message(et_timestamp_t, et_pal_log_level_t level,
                                        const char* filename, const char*, size_t line,
                                        const char* message, size_t length) {
  ++log_lines;
  last_line = std::string(message, length);
  if (echo) {
    printf("  %c %s:%zu %s\n", static_cast<char>(level), filename, line, message);
  }
}

/// Bytes at a 16-byte boundary whose end ASan watches to the byte.
class Bytes {
 public:
  explicit Bytes(size_t size) : size_(size) {
    void* memory = memalign(16, size == 0 ? 1 : size);
    if (memory == nullptr) {
      abort();
    }
    data_.reset(static_cast<uint8_t*>(memory));
    memset(memory, 0, size);
  }
  Bytes(const uint8_t* data, size_t size) : Bytes(size) {
    std::copy(data, data + size, data_.get());
  }
  uint8_t* data() { return data_.get(); }
  size_t size() const { return size_; }

 private:
  struct Free {
    void operator()(uint8_t* p) const { free(p); }
  };
  std::unique_ptr<uint8_t, Free> data_;
  size_t size_;
};

static std::vector<uint8_t> read_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) {
    printf("cannot open %s\n", path.c_str());
    exit(1);
  }
  return {std::istreambuf_iterator<char>(file), {}};
}

/// A program from memory, one of its methods, and memory for it.
struct Loaded {
  explicit Loaded(std::vector<uint8_t> file, size_t pool_bytes = 1 << 18)
      : pte(file.data(), file.size()), loader(pte.data(), pte.size()), pool(pool_bytes), temp(64) {}

  Error load_program(Program::Verification verification = Program::Verification::Minimal) {
    Result<Program> result = Program::load(&loader, verification);
    if (result.ok()) {
      program.emplace(std::move(*result));
    }
    return result.error();
  }

  Error load_method(const char* name, Span<const Kernel> kernels = {test::kKernels, test::kCount},
                    size_t most_planned = 1 << 20) {
    Result<MethodMeta> meta = program->method_meta(name);
    if (!meta.ok()) {
      return meta.error();
    }
    planned.clear();
    spans.clear();
    for (size_t i = 0; i < meta->num_memory_planned_buffers(); ++i) {
      const int64_t bytes = *meta->memory_planned_buffer_size(i);
      planned.emplace_back(bytes < 0 || bytes > int64_t(most_planned) ? most_planned : bytes);
      spans.emplace_back(planned.back().data(), planned.back().size());
    }
    planned_memory.emplace(Span<Span<uint8_t>>(spans.data(), spans.size()));
    method_allocator.emplace(pool.size(), pool.data());
    temp_allocator.emplace(temp.size(), temp.data());
    memory.emplace(&*method_allocator, &*planned_memory, &*temp_allocator);
    Result<Method> result =
        program->load_method(name, &*memory, nullptr, nullptr, nullptr, kernels);
    if (result.ok()) {
      method.emplace(std::move(*result));
    }
    return result.error();
  }

  Bytes pte;
  BufferDataLoader loader;
  Bytes pool;
  Bytes temp;
  std::vector<Bytes> planned;
  std::vector<Span<uint8_t>> spans;
  std::optional<HierarchicalAllocator> planned_memory;
  std::optional<MemoryAllocator> method_allocator;
  std::optional<MemoryAllocator> temp_allocator;
  std::optional<MemoryManager> memory;
  std::optional<Program> program;
  std::optional<Method> method;
};

/// A float tensor with its arrays.
struct FloatTensor {
  FloatTensor(std::vector<int32_t> sizes_, std::vector<float> data_)
      : sizes(std::move(sizes_)),
        data(std::move(data_)),
        order(sizes.size()),
        strides(sizes.size()) {
    for (size_t i = 0; i < sizes.size(); ++i) {
      order[i] = uint8_t(i);
    }
    executorch::runtime::dim_order_to_stride_nocheck(sizes.data(), order.data(), sizes.size(),
                                                     strides.data());
    impl.emplace(ScalarType::Float, ssize_t(sizes.size()), sizes.data(), data.data(), order.data(),
                 strides.data());
  }
  EValue value() { return EValue(Tensor(&*impl)); }

  std::vector<int32_t> sizes;
  std::vector<float> data;
  std::vector<uint8_t> order;
  std::vector<int32_t> strides;
  std::optional<TensorImpl> impl;
};

static const float* floats_of(const EValue& value) {
  return value.toTensor().const_data_ptr<float>();
}

static void test_forward(Loaded& loaded) {
  EXPECT(loaded.load_method("forward") == Error::Ok);
  Method& method = *loaded.method;
  EXPECT(method.inputs_size() == 1 && method.outputs_size() == 1);

  // Neither input nor output has memory: refused, with the operator's name.
  log_lines = 0;
  EXPECT(method.execute() == Error::InvalidState);
  EXPECT(log_lines == 1 && last_line.find("test::add") != std::string::npos);

  FloatTensor x({2, 3}, {1, 2, 3, 4, 5, 6});
  EXPECT(method.set_input(x.value(), 0) == Error::Ok);
  EXPECT(method.execute() == Error::InvalidState);
  float out[6] = {};
  EXPECT(method.set_output_data_ptr(out, sizeof(out) - 1, 0) == Error::InvalidArgument);
  EXPECT(method.set_output_data_ptr(out, sizeof(out), 1) == Error::InvalidArgument);
  EXPECT(method.set_output_data_ptr(out, sizeof(out), 0) == Error::Ok);
  EXPECT(method.execute() == Error::Ok);
  EXPECT(out[0] == 3 && out[5] == 18);
  EXPECT(floats_of(method.get_output(0)) == out);

  // An unplanned input is aliased, not copied.
  x.data[0] = 10;
  EXPECT(method.execute() == Error::Ok && out[0] == 21);

  FloatTensor wrong_shape({3, 2}, std::vector<float>(6));
  FloatTensor wrong_rank({6}, std::vector<float>(6));
  EXPECT(method.set_input(wrong_shape.value(), 0) == Error::NotSupported);
  EXPECT(method.set_input(wrong_rank.value(), 0) == Error::NotSupported);
  EXPECT(method.set_input(EValue(int64_t(1)), 0) == Error::InvalidArgument);
  EXPECT(method.set_input(x.value(), 1) == Error::InvalidArgument);
  int32_t sizes[] = {2, 3};
  uint8_t order[] = {0, 1};
  uint8_t swapped[] = {1, 0};
  int32_t values[6] = {};
  TensorImpl ints(ScalarType::Int, 2, sizes, values, order);
  EXPECT(method.set_input(EValue(Tensor(&ints)), 0) == Error::InvalidArgument);
  TensorImpl transposed(ScalarType::Float, 2, sizes, values, swapped);
  EXPECT(method.set_input(EValue(Tensor(&transposed)), 0) == Error::InvalidArgument);
  EValue two[] = {x.value(), x.value()};
  EXPECT(method.set_inputs({two, 2}) == Error::InvalidArgument);
  EXPECT(method.set_inputs({two, 1}) == Error::Ok);

  EValue outputs[3];
  EXPECT(method.get_outputs(outputs, 0) == Error::InvalidArgument);
  EXPECT(method.get_outputs(outputs, 3) == Error::Ok);
  EXPECT(outputs[0].isTensor() && outputs[1].isNone() && outputs[2].isNone());
  EXPECT(method.get_inputs(outputs, 3) == Error::Ok && outputs[0].isTensor());
  EXPECT(&method.get_input(0) == &method.mutable_input(0));
  EXPECT(&method.get_output(0) == &method.mutable_output(0));
  EXPECT(method.get_event_tracer() == nullptr);

  // A moved-from method refuses, the new one goes on.
  Method moved(std::move(method));
  EXPECT(moved.execute() == Error::Ok);
  EXPECT(method.execute() == Error::InvalidState);
}

static void test_meta(Loaded& loaded) {
  const Program& program = *loaded.program;
  EXPECT(program.num_methods() == 6);
  EXPECT(std::string(*program.get_method_name(1)) == "lists");
  EXPECT(program.get_method_name(6).error() == Error::InvalidArgument);
  EXPECT(program.method_meta("nothing").error() == Error::InvalidArgument);
  EXPECT(program.get_named_data_map().error() == Error::NotFound);
  EXPECT(std::string(*program.get_output_flattening_encoding("forward")) == "out");
  EXPECT(program.get_constant_buffer_data(1, 24).ok());
  EXPECT(program.get_constant_buffer_data(99, 1).error() == Error::InvalidArgument);

  Result<MethodMeta> forward = program.method_meta("forward");
  EXPECT(std::string(forward->name()) == "forward");
  EXPECT(forward->num_inputs() == 1 && forward->num_outputs() == 1);
  EXPECT(*forward->input_tag(0) == Tag::Tensor);
  EXPECT(forward->input_tag(1).error() == Error::InvalidArgument);
  EXPECT(forward->num_instructions() == 2 && forward->num_backends() == 0);
  EXPECT(!forward->uses_backend("x") && !forward->get_backend_name(0).ok());
  EXPECT(forward->num_memory_planned_buffers() == 1);
  EXPECT(*forward->memory_planned_buffer_size(0) == 64);
  EXPECT(forward->memory_planned_buffer_size(1).error() == Error::InvalidArgument);
  EXPECT(forward->memory_planned_buffer_device(0)->is_cpu());
  auto input = forward->input_tensor_meta(0);
  EXPECT(input->nbytes() == 24 && input->sizes().size() == 2 && input->sizes()[1] == 3);
  EXPECT(input->dim_order()[1] == 1 && input->scalar_type() == ScalarType::Float);
  EXPECT(!input->is_memory_planned() && input->name().empty());
  EXPECT(forward->num_attributes() == 0);

  Result<MethodMeta> lists = program.method_meta("lists");
  EXPECT(lists->num_memory_planned_buffers() == 2 && lists->num_inputs() == 6);
  EXPECT(*lists->input_tag(1) == Tag::Int && *lists->input_tag(4) == Tag::String);
  EXPECT(lists->input_tensor_meta(1).error() == Error::InvalidArgument);
  EXPECT(lists->output_tensor_meta(0)->is_memory_planned());
  EXPECT(*lists->output_tag(1) == Tag::Int);

  Result<MethodMeta> state = program.method_meta("state");
  EXPECT(state->num_attributes() == 1);
  EXPECT(state->attribute_tensor_meta(0)->name() == "counter");
  EXPECT(state->attribute_tensor_meta(1).error() == Error::InvalidArgument);
}

static void test_lists(Loaded& loaded) {
  EXPECT(loaded.load_method("lists") == Error::Ok);
  Method& method = *loaded.method;
  FloatTensor x({2}, {1, 2});
  EXPECT(method.set_input(x.value(), 0) == Error::Ok);
  EXPECT(method.set_input(EValue(int64_t(7)), 1) == Error::Ok);
  EXPECT(method.set_input(EValue(int64_t(8)), 1) == Error::InvalidArgument);
  EXPECT(method.set_input(EValue(0.5), 2) == Error::Ok);
  EXPECT(method.set_input(EValue(0.25), 2) == Error::InvalidArgument);
  EXPECT(method.set_input(EValue(true), 3) == Error::Ok);
  EXPECT(method.set_input(EValue(false), 3) == Error::InvalidArgument);
  executorch::aten::ArrayRef<char> four("four", 4);
  executorch::aten::ArrayRef<char> five("five", 4);
  EXPECT(method.set_input(EValue(&four), 4) == Error::Ok);
  EXPECT(method.set_input(EValue(&five), 4) == Error::InvalidArgument);
  EXPECT(method.set_input(EValue(), 5) == Error::Ok);

  // A planned input was copied: changing the source changes nothing.
  x.data[1] = 1000;
  EXPECT(method.execute() == Error::Ok);
  // 7 + 0.5 + 1 + 4, (7+8+7), (0.25+0.125), 2, (2+20), (100+100+10)
  EXPECT(floats_of(method.get_output(0))[0] == 12.5f + 22 + 0.375f + 2 + 22 + 210);
  EXPECT(method.get_output(1).toInt() == 7);
  EXPECT(loaded.temp_allocator->used_size() == 0);
  float buffer[1];
  EXPECT(method.set_output_data_ptr(buffer, 4, 0) == Error::InvalidState);
  EXPECT(method.set_output_data_ptr(buffer, 4, 1) == Error::InvalidArgument);
}

static void test_control(Loaded& loaded) {
  EXPECT(loaded.load_method("control") == Error::Ok);
  Method& method = *loaded.method;
  FloatTensor x({2}, {1, 2});
  bool condition = true;
  TensorImpl cond(ScalarType::Bool, 0, nullptr, &condition);
  EXPECT(method.set_input(x.value(), 1) == Error::Ok);
  // In turn, so that what one run left behind shows in the next.
  for (float expected : {11.0f, 1.0f, 11.0f}) {
    EXPECT(method.set_input(EValue(Tensor(&cond)), 0) == Error::Ok);
    EXPECT(method.execute() == Error::Ok);
    EXPECT(floats_of(method.get_output(0))[0] == expected);
    condition = !condition;
  }

  // The same by single steps.
  condition = true;
  EXPECT(method.set_input(EValue(Tensor(&cond)), 0) == Error::Ok);
  EXPECT(!method.in_progress());
  EXPECT(method.step() == Error::Ok && method.in_progress());
  EXPECT(method.execute() == Error::InvalidState);
  EXPECT(method.reset_execution() == Error::InvalidState);
  int steps = 1;
  while (method.step() == Error::Ok) {
    ++steps;
  }
  EXPECT(steps == 6);  // Six of seven: the last jump is taken.
  EXPECT(!method.in_progress() && method.step() == Error::EndOfMethod);
  EXPECT(method.execute() == Error::InvalidState);
  EXPECT(method.reset_execution() == Error::Ok);
  EXPECT(floats_of(method.get_output(0))[1] == 22.0f);
  EXPECT(method.execute() == Error::Ok);
}

static void test_loop(Loaded& loaded) {
  EXPECT(loaded.load_method("loop") == Error::Ok);
  Method& method = *loaded.method;
  bool condition = false;
  TensorImpl cond(ScalarType::Bool, 0, nullptr, &condition);
  EXPECT(method.set_input(EValue(Tensor(&cond)), 0) == Error::Ok);
  log_lines = 0;
  EXPECT(method.execute() == Error::InvalidProgram);
  EXPECT(log_lines == 1 && last_line.find("endless loop") != std::string::npos);
  // The method can be used again.
  EXPECT(!method.in_progress());
  condition = true;
  EXPECT(method.set_input(EValue(Tensor(&cond)), 0) == Error::Ok);
  EXPECT(method.execute() == Error::Ok);
}

static void test_state(Loaded& loaded) {
  EXPECT(loaded.load_method("state") == Error::Ok);
  Method& method = *loaded.method;
  EXPECT(method.execute() == Error::Ok && floats_of(method.get_output(0))[0] == 42);
  EXPECT(method.execute() == Error::Ok && floats_of(method.get_output(0))[0] == 43);
  Result<Tensor> counter = method.get_attribute("counter");
  EXPECT(counter.ok() && counter->const_data_ptr<float>()[0] == 43);
  counter->mutable_data_ptr<float>()[0] = 99;
  EXPECT(method.execute() == Error::Ok && floats_of(method.get_output(0))[0] == 100);
  EXPECT(method.get_attribute("count").error() == Error::NotFound);
  EXPECT(method.method_meta().num_attributes() == 1);
}

static void test_dynamic(Loaded& loaded) {
  EXPECT(loaded.load_method("dynamic") == Error::Ok);
  Method& method = *loaded.method;
  FloatTensor small({2, 2}, {1, 2, 3, 4});
  FloatTensor big({3, 5}, std::vector<float>(15));
  EXPECT(method.set_input(small.value(), 0) == Error::Ok);
  EXPECT(method.execute() == Error::Ok);
  const Tensor& out = method.get_output(0).toTensor();
  EXPECT(out.numel() == 4 && out.sizes()[1] == 2 && out.strides()[0] == 2);
  EXPECT(method.set_input(big.value(), 0) == Error::NotSupported);
  // The sizes in the file are untouched.
  EXPECT(loaded.program->method_meta("dynamic")->input_tensor_meta(0)->sizes()[0] == 4);
}

static void test_list_moves(Loaded& loaded) {
  EXPECT(loaded.load_method("list_moves") == Error::Ok);
  Method& method = *loaded.method;
  FloatTensor x({2}, {1, 2});
  bool condition = true;
  TensorImpl cond(ScalarType::Bool, 0, nullptr, &condition);
  EXPECT(method.set_input(x.value(), 1) == Error::Ok);
  for (float expected : {22.0f, 2.0f, 22.0f}) {
    EXPECT(method.set_input(EValue(Tensor(&cond)), 0) == Error::Ok);
    EXPECT(method.execute() == Error::Ok);
    EXPECT(floats_of(method.get_output(0))[1] == expected);
    EXPECT(method.get_output(1).toInt() == 2);
    condition = !condition;
  }
}

static void test_list_inputs(Loaded& loaded) {
  using executorch::runtime::BoxedEvalueList;
  EXPECT(loaded.load_method("list_inputs") == Error::Ok);
  Method& method = *loaded.method;
  EXPECT(method.execute() == Error::InvalidState);
  FloatTensor a({2}, {1, 2});
  FloatTensor b({2}, {10, 20});
  FloatTensor wrong({3}, {1, 2, 3});
  Tensor unboxed[3] = {Tensor(&*a.impl), Tensor(&*a.impl), Tensor(&*a.impl)};
  EValue values[3] = {a.value(), b.value(), wrong.value()};
  EValue* good[] = {&values[0], &values[1], &values[1]};
  EValue* bad[] = {&values[0], &values[2]};
  BoxedEvalueList<Tensor> two(good, unboxed, 2);
  BoxedEvalueList<Tensor> three(good, unboxed, 3);
  BoxedEvalueList<Tensor> misshapen(bad, unboxed, 2);
  EXPECT(method.set_input(EValue(&three), 0) == Error::InvalidArgument);
  EXPECT(method.set_input(EValue(&misshapen), 0) == Error::NotSupported);
  EXPECT(method.set_input(EValue(&two), 0) == Error::Ok);
  EXPECT(method.execute() == Error::Ok && floats_of(method.get_output(0))[1] == 22);
  // The first is copied, the second aliased.
  a.data[1] = 5;
  b.data[1] = 50;
  EXPECT(method.execute() == Error::Ok && floats_of(method.get_output(0))[1] == 52);

  EValue seven(int64_t(7));
  EValue eight(int64_t(8));
  EValue* sevens[] = {&seven, &seven};
  EValue* others[] = {&seven, &eight};
  int64_t ints[2];
  BoxedEvalueList<int64_t> same(sevens, ints, 2);
  BoxedEvalueList<int64_t> other(others, ints, 2);
  EXPECT(method.set_input(EValue(&same), 1) == Error::Ok);
  EXPECT(method.set_input(EValue(&other), 1) == Error::InvalidArgument);
  const double doubles[] = {0.25, std::numeric_limits<double>::quiet_NaN()};
  executorch::aten::ArrayRef<double> same_doubles(doubles, 2);
  executorch::aten::ArrayRef<double> fewer_doubles(doubles, 1);
  EXPECT(method.set_input(EValue(&same_doubles), 2) == Error::Ok);
  EXPECT(method.set_input(EValue(&fewer_doubles), 2) == Error::InvalidArgument);
  const bool bools[] = {true, false, true};
  executorch::aten::ArrayRef<bool> same_bools(bools, 2);
  executorch::aten::ArrayRef<bool> other_bools(bools + 1, 2);
  EXPECT(method.set_input(EValue(&same_bools), 3) == Error::Ok);
  EXPECT(method.set_input(EValue(&other_bools), 3) == Error::InvalidArgument);
  std::optional<Tensor> optional;
  BoxedEvalueList<std::optional<Tensor>> optionals(good, &optional, 1);
  EXPECT(method.set_input(EValue(&optionals), 4) == Error::NotSupported);
}

static void test_views(Loaded& loaded) {
  EXPECT(loaded.load_method("views") == Error::Ok);
  Method& method = *loaded.method;
  // What has no memory is the input, not the view of it.
  log_lines = 0;
  EXPECT(method.execute() == Error::InvalidState);
  EXPECT(log_lines == 1 && last_line.find("et_view") != std::string::npos);
  FloatTensor x({6}, {1, 2, 3, 4, 5, 6});
  EXPECT(method.set_input(x.value(), 0) == Error::Ok);
  EXPECT(method.execute() == Error::Ok && floats_of(method.get_output(0))[5] == 6);
  FloatTensor y({6}, {1, 2, 3, 4, 5, 60});
  EXPECT(method.set_input(y.value(), 0) == Error::Ok);
  EXPECT(method.execute() == Error::Ok && floats_of(method.get_output(0))[5] == 60);
}

static void test_result_types(Loaded& loaded) {
  // The condition of a jump becomes a number, which must not be read as a tensor's address.
  EXPECT(loaded.load_method("result_types") == Error::Ok);
  for (int i = 0; i < 2; ++i) {
    log_lines = 0;
    EXPECT(loaded.method->execute() == Error::InvalidProgram);
    EXPECT(log_lines == 1 && last_line.find("executorch_prim::add") != std::string::npos);
  }
}

static void test_in_place(Loaded& loaded) {
  EXPECT(loaded.load_method("in_place") == Error::Ok);
  Method& method = *loaded.method;
  FloatTensor x({2}, {1, 2});
  EXPECT(method.set_input(x.value(), 0) == Error::Ok);
  EXPECT(method.execute() == Error::Ok && floats_of(method.get_output(0))[1] == 4);
  EXPECT(method.execute() == Error::Ok && floats_of(method.get_output(0))[1] == 8);
  EXPECT(floats_of(method.get_output(1))[1] == 4);
}

static void test_buffers(Loaded& loaded) {
  EXPECT(loaded.load_method("forward") == Error::Ok);
  FloatTensor x({2}, {1, 2});
  for (float n : {1.0f, 2.0f, 3.0f}) {
    EXPECT(loaded.method->set_input(x.value(), 0) == Error::Ok);
    EXPECT(loaded.method->execute() == Error::Ok);
    EXPECT(floats_of(loaded.method->get_output(0))[0] == 41 + n + n);
    EXPECT(floats_of(loaded.method->get_output(0))[1] == 1 + 2 * n + 2 * n);
  }
  Result<Tensor> state = loaded.method->get_attribute("state");
  EXPECT(state.ok() && state->const_data_ptr<float>()[0] == 44);
  const MethodMeta meta = loaded.method->method_meta();
  EXPECT(meta.num_attributes() == 2 && meta.attribute_tensor_meta(0)->is_memory_planned());
  // Loading again starts again.
  loaded.method.reset();
  EXPECT(loaded.load_method("forward") == Error::Ok);
  EXPECT(loaded.method->set_input(x.value(), 0) == Error::Ok);
  EXPECT(loaded.method->execute() == Error::Ok);
  EXPECT(floats_of(loaded.method->get_output(0))[0] == 43);
}

// Two methods of one program at once, each with memory of its own.
static void test_methods_side_by_side(Loaded& loaded) {
  EXPECT(loaded.load_method("state") == Error::Ok);
  Bytes pool(4096);
  Bytes buffer(128);
  MemoryAllocator allocator(4096, pool.data());
  Span<uint8_t> spans[] = {{buffer.data(), buffer.size()}};
  HierarchicalAllocator planned({spans, 1});
  MemoryManager memory(&allocator, &planned);
  Result<Method> dynamic = loaded.program->load_method("dynamic", &memory, nullptr, nullptr,
                                                       nullptr, {test::kKernels, test::kCount});
  EXPECT(dynamic.ok());
  FloatTensor x({1, 2}, {7, 8});
  EXPECT(dynamic->set_input(x.value(), 0) == Error::Ok);
  EXPECT(loaded.method->execute() == Error::Ok && dynamic->execute() == Error::Ok);
  EXPECT(floats_of(loaded.method->get_output(0))[0] == 42);
  EXPECT(floats_of(dynamic->get_output(0))[1] == 8);
  EXPECT(std::string(dynamic->method_meta().name()) == "dynamic");
}

#ifdef ET_EVENT_TRACER_ENABLED
static void test_tracer(Loaded& loaded) {
  using mcugen::InstructionCounters;
  EXPECT(loaded.load_method("control") == Error::Ok);
  InstructionCounters::Counter counters[6] = {};
  InstructionCounters tracer({counters, 6});
  loaded.method.reset();
  loaded.method_allocator->reset();
  Result<Method> method = loaded.program->load_method("control", &*loaded.memory, &tracer, nullptr,
                                                      nullptr, {test::kKernels, test::kCount});
  EXPECT(method.ok() && method->get_event_tracer() == &tracer);
  FloatTensor x({2}, {1, 2});
  bool condition = true;
  TensorImpl cond(ScalarType::Bool, 0, nullptr, &condition);
  for (int i = 0; i < 4; ++i) {
    condition = i == 0;
    EXPECT(method->set_input(EValue(Tensor(&cond)), 0) == Error::Ok);
    EXPECT(method->set_input(x.value(), 1) == Error::Ok);
    EXPECT(method->execute() == Error::Ok);
  }
  // Instruction 1 adds, in one branch only; 5 copies.
  EXPECT(counters[1].calls == 1 && counters[5].calls == 4 && counters[0].calls == 0);
  EXPECT(tracer.executions().calls == 4 && tracer.dropped() == 0);
  EXPECT(tracer.executions().ticks >= counters[1].ticks + counters[5].ticks);
  tracer.reset();
  EXPECT(counters[5].calls == 0 && tracer.executions().calls == 0);
}
#endif

static void test_arguments(Loaded& loaded) {
  EXPECT(Program::load(nullptr).error() == Error::InvalidArgument);
  EXPECT(loaded.program->load_method("forward", nullptr).error() == Error::InvalidArgument);
  EXPECT(loaded.program->load_method(nullptr, nullptr).error() == Error::InvalidArgument);
  Bytes tiny(64);
  MemoryAllocator method_allocator(64, tiny.data());
  MemoryManager no_planned(&method_allocator);
  EXPECT(loaded.program->load_method("forward", &no_planned).error() ==
         Error::MemoryAllocationFailed);
  Bytes pool(4096);
  MemoryAllocator enough(4096, pool.data());
  MemoryManager manager(&enough);
  const Span<const Kernel> kernels(test::kKernels, test::kCount);
  EXPECT(
      loaded.program->load_method("lists", &manager, nullptr, nullptr, nullptr, kernels).error() ==
      Error::InvalidArgument);
  Span<uint8_t> too_small[] = {{tiny.data(), 16}, {tiny.data(), 64}};
  HierarchicalAllocator planned({too_small, 2});
  MemoryManager small_planned(&enough, &planned);
  EXPECT(loaded.program->load_method("forward", &small_planned, nullptr, nullptr, nullptr, kernels)
             .error() == Error::MemoryAllocationFailed);
  log_lines = 0;
  EXPECT(loaded.load_method("forward", {test::kKernels + 1, test::kCount - 1}) ==
         Error::OperatorMissing);
  EXPECT(log_lines == 1 && last_line.find("test::add.out") != std::string::npos);

  // Without a table the registry is asked.
  EXPECT(loaded.load_method("forward", {}) == Error::OperatorMissing);
  EXPECT(executorch::runtime::register_kernels({test::kKernels, test::kCount}) == Error::Ok);
  EXPECT(loaded.load_method("forward", {}) == Error::Ok);

  // Without a temp allocator, memory comes from et_pal_allocate() on a host.
  EXPECT(loaded.load_method("lists") == Error::Ok);
  MemoryManager without_temp(&enough, &*loaded.planned_memory);
  Result<Method> method =
      loaded.program->load_method("lists", &without_temp, nullptr, nullptr, nullptr, kernels);
#if defined(__unix__)
  EXPECT(method.ok() && method->execute() == Error::Ok);
#else
  EXPECT(method.ok() && method->execute() == Error::InvalidArgument);
#endif

  // A kernel's failure comes back, and the method can be tried again.
  const Kernel failing[] = {
      Kernel("test::sum.out", [](KernelRuntimeContext& context, Span<EValue*>) {
        static int calls = 0;
        if (calls++ == 0) {
          context.fail(Error::OutOfResources);
        }
      })};
  EXPECT(loaded.load_method("lists", {failing, 1}) == Error::Ok);
  log_lines = 0;
  EXPECT(loaded.method->execute() == Error::OutOfResources);
  EXPECT(log_lines == 1 && last_line.find("test::sum") != std::string::npos);
  EXPECT(loaded.method->execute() == Error::Ok);
}

static int specialized_calls = 0;

static void test_specialized(Loaded& loaded) {
  // "forward" adds float tensors of dim order 0,1: four tensor arguments with the repeated out.
  const Kernel kernels[] = {
      Kernel("test::add.out", KernelKey("v1/1;0,1|6;0,1|6;0,1|6;0,1"),
             [](KernelRuntimeContext& context, Span<EValue*>) { context.fail(Error::Internal); }),
      Kernel("test::add.out", KernelKey("v1/6;0,1|6;0,1|6;0,1|6;0,1"),
             [](KernelRuntimeContext&, Span<EValue*>) { ++specialized_calls; }),
      Kernel("test::add.out", test::add),
  };
  EXPECT(loaded.load_method("forward", {kernels, 3}) == Error::Ok);
  FloatTensor x({2, 3}, std::vector<float>(6));
  float out[6];
  EXPECT(loaded.method->set_input(x.value(), 0) == Error::Ok);
  EXPECT(loaded.method->set_output_data_ptr(out, sizeof(out), 0) == Error::Ok);
  EXPECT(loaded.method->execute() == Error::Ok && specialized_calls == 2);
  EXPECT(loaded.load_method("forward", {kernels, 1}) == Error::OperatorMissing);
}

static int command_api(const std::string& folder) {
  const std::vector<uint8_t> file = read_file(folder + "/methods.pte");
  for (auto test : {test_meta, test_forward, test_lists, test_control, test_loop, test_state,
                    test_dynamic, test_arguments, test_specialized, test_methods_side_by_side}) {
    Loaded loaded(file);
    EXPECT(loaded.load_program() == Error::Ok);
    test(loaded);
  }
  Loaded inline_constants(read_file(folder + "/inline.pte"));
  EXPECT(inline_constants.load_program(Program::Verification::InternalConsistency) == Error::Ok);
  test_forward(inline_constants);

  const std::vector<uint8_t> extended = read_file(folder + "/extended.pte");
  for (auto test :
       {test_list_moves, test_list_inputs, test_views, test_in_place, test_result_types}) {
    Loaded loaded(extended);
    EXPECT(loaded.load_program(Program::Verification::InternalConsistency) == Error::Ok);
    test(loaded);
  }

  Loaded buffers(read_file(folder + "/buffers.pte"));
  EXPECT(buffers.load_program(Program::Verification::InternalConsistency) == Error::Ok);
  test_buffers(buffers);
#ifdef ET_EVENT_TRACER_ENABLED
  Loaded traced(file);
  EXPECT(traced.load_program() == Error::Ok);
  test_tracer(traced);
#endif

  // Not aligned: refused, not read.
  Bytes shifted(file.size() + 1);
  memcpy(shifted.data() + 1, file.data(), file.size());
  BufferDataLoader loader(shifted.data() + 1, file.size());
  log_lines = 0;
  EXPECT(Program::load(&loader).error() == Error::InvalidArgument && log_lines == 1);

  EXPECT(Program::check_header(file.data(), 63) == Program::ShortData);
  EXPECT(Program::check_header(file.data(), 64) == Program::CompatibleVersion);
  std::vector<uint8_t> other = file;
  other[7] = '9';
  EXPECT(Program::check_header(other.data(), 64) == Program::IncompatibleVersion);
  other[4] = 'X';
  EXPECT(Program::check_header(other.data(), 64) == Program::NotPresent);
  return failures;
}

static int command_errors(const std::string& folder, const std::string& expected) {
  std::ifstream list(expected);
  std::string name;
  unsigned code;
  while (list >> name >> std::hex >> code) {
    Loaded loaded(read_file(folder + "/" + name + ".pte"));
    log_lines = 0;
    Error error = loaded.load_program();
    if (error == Error::Ok) {
      error = loaded.load_method("forward");
    }
    printf("%s: 0x%x %s\n", name.c_str(), unsigned(error), last_line.c_str());
    EXPECT(unsigned(error) == code);
    EXPECT(log_lines == 1);
  }
  return failures;
}

// Stands in for every operator: reads all that it is given, and writes the tensors in planned
// memory. What a hostile file could make a kernel touch, it touches.
static Loaded* fuzzed = nullptr;
static volatile uint8_t sink;

static void touch_tensor(const Tensor& tensor) {
  const uint8_t* data = tensor.const_data_ptr<uint8_t>();
  uint8_t sum = 0;
  for (size_t i = 0; i < tensor.nbytes(); ++i) {
    sum = uint8_t(sum + data[i]);
  }
  for (ssize_t i = 0; i < tensor.dim(); ++i) {
    sum =
        uint8_t(sum + tensor.size(i) + tensor.strides()[size_t(i)] + tensor.dim_order()[size_t(i)]);
  }
  for (Bytes& planned : fuzzed->planned) {
    if (data >= planned.data() && data < planned.data() + planned.size()) {
      memset(tensor.mutable_data_ptr(), sum, tensor.nbytes());
    }
  }
  sink = sum;
}

static void touch(KernelRuntimeContext&, Span<EValue*> args) {
  for (EValue* value : args) {
    if (value->isTensor()) {
      touch_tensor(value->toTensor());
    } else if (value->isString()) {
      for (char c : value->toString()) {
        sink = uint8_t(c);
      }
    } else if (value->isIntList()) {
      for (int64_t item : value->toIntList()) {
        sink = uint8_t(item);
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
        touch_tensor(item);
      }
    } else if (value->isListOptionalTensor()) {
      for (const auto& item : value->toListOptionalTensor()) {
        if (item.has_value()) {
          touch_tensor(*item);
        }
      }
    }
  }
}

/// Loads everything there is and runs it, with touch() for every operator.
/// @returns the first error; exactly one line has then been logged.
static Error exercise(Loaded& loaded, size_t* method_bytes = nullptr) {
  fuzzed = &loaded;
  log_lines = 0;
  Error error = loaded.load_program(Program::Verification::InternalConsistency);
  if (error != Error::Ok) {
    EXPECT(log_lines == 1);
    // What the check of all tensors refuses, loading has to get past as well.
    log_lines = 0;
    error = loaded.load_program();
  }
  if (error != Error::Ok) {
    EXPECT(log_lines == 1);
    return error;
  }
  const auto* root = flatbuffers::GetRoot<executorch_flatbuffer::Program>(loaded.pte.data());
  for (size_t m = 0; m < loaded.program->num_methods() && m < 8; ++m) {
    const auto* plan = root->execution_plan()->Get(uint32_t(m));
    if (plan->name() == nullptr) {
      continue;
    }
    const char* name = plan->name()->c_str();
    Result<MethodMeta> meta = loaded.program->method_meta(name);
    EXPECT(meta.ok());
    for (size_t i = 0; i < meta->num_inputs() && i < 100; ++i) {
      (void)meta->input_tag(i).ok();
      if (auto info = meta->input_tensor_meta(i); info.ok()) {
        sink = uint8_t(info->nbytes() + info->name().size());
      }
    }
    for (size_t i = 0; i < meta->num_outputs() && i < 100; ++i) {
      (void)meta->output_tensor_meta(i).ok();
    }
    (void)meta->num_attributes();
    (void)meta->num_instructions();

    std::vector<std::string> names;
    for (uint32_t i = 0; i < flatbuffers::length(plan->operators()); ++i) {
      const auto* op = plan->operators()->Get(i);
      const char* overload = op->overload() == nullptr ? "" : op->overload()->c_str();
      names.push_back(std::string(op->name() == nullptr ? "" : op->name()->c_str()) +
                      (overload[0] == '\0' ? "" : ".") + overload);
    }
    std::vector<Kernel> kernels;
    for (const std::string& op : names) {
      kernels.emplace_back(op.c_str(), touch);
    }
    kernels.emplace_back("none", touch);
    loaded.method.reset();
    log_lines = 0;
    error = loaded.load_method(name, {kernels.data(), kernels.size()});
    if (error != Error::Ok) {
      EXPECT(log_lines == 1);
      return error;
    }
    if (method_bytes != nullptr && *method_bytes == 0) {
      *method_bytes = loaded.method_allocator->used_size();
    }
    Method& method = *loaded.method;
    // The caller's part, as far as it can be played for any file.
    Bytes zeros(1 << 16);
    for (size_t i = 0; i < method.inputs_size() && i < 100; ++i) {
      const EValue& input = method.get_input(i);
      if (input.isTensor() && input.toTensor().const_data_ptr() == nullptr &&
          input.toTensor().nbytes() <= zeros.size()) {
        std::vector<int32_t> sizes(input.toTensor().sizes().begin(),
                                   input.toTensor().sizes().end());
        std::vector<uint8_t> order(input.toTensor().dim_order().begin(),
                                   input.toTensor().dim_order().end());
        TensorImpl impl(input.toTensor().scalar_type(), ssize_t(sizes.size()), sizes.data(),
                        zeros.data(), order.data());
        (void)method.set_input(EValue(Tensor(&impl)), i);
      }
    }
    for (size_t i = 0; i < method.outputs_size() && i < 100; ++i) {
      (void)method.set_output_data_ptr(zeros.data(), zeros.size(), i);
    }
    for (int step = 0; step < 300 && error == Error::Ok; ++step) {  // A jump may go back for ever.
      log_lines = 0;
      error = method.step();
    }
    if (error != Error::Ok && error != Error::EndOfMethod) {
      EXPECT(log_lines == 1);
      return error;
    }
  }
  return Error::Ok;
}

static int command_golden(int count, char** files) {
  for (int i = 0; i < count; ++i) {
    Loaded loaded(read_file(files[i]));
    size_t method_bytes = 0;
    const Error error = exercise(loaded, &method_bytes);
    printf("%s: 0x%x, %zu bytes of method memory for the first method\n", files[i], unsigned(error),
           method_bytes);
    EXPECT(error == Error::Ok);
  }
  return failures;
}

static int command_truncate(const std::string& path, size_t stride) {
  const std::vector<uint8_t> file = read_file(path);
  size_t refused = 0;
  size_t tried = 0;
  for (size_t length = 0; length < file.size();
       length += length < 256 || file.size() - length < 256 ? 1 : stride, ++tried) {
    Loaded loaded(std::vector<uint8_t>(file.begin(), file.begin() + ptrdiff_t(length)));
    refused += exercise(loaded) != Error::Ok;
  }
  printf("%zu of %zu truncated files refused\n", refused, tried);
  EXPECT(refused == tried);
  return failures;
}

static int command_flip(const std::string& path, unsigned seed, int count, size_t bytes) {
  const std::vector<uint8_t> file = read_file(path);
  const size_t end = bytes == 0 || bytes > file.size() ? file.size() : bytes;
  std::mt19937 random(seed);
  int refused = 0;
  for (int i = 0; i < count; ++i) {
    std::vector<uint8_t> copy = file;
    const unsigned changes = 1 + random() % 3;
    for (unsigned change = 0; change < changes; ++change) {
      const size_t at = random() % end;
      switch (random() % 4) {
        case 0:  // A whole word, to small values: what lengths and indices look like.
          if (at + 4 <= end) {
            const uint32_t word = random() % 64;
            memcpy(&copy[at & ~size_t(3)], &word, 4);
          }
          break;
        case 1:
          copy[at] = uint8_t(random());
          break;
        default:
          copy[at] ^= uint8_t(1u << random() % 8);
      }
    }
    Loaded loaded(std::move(copy));
    const int before = failures;
    refused += exercise(loaded) != Error::Ok;
    if (failures != before) {
      printf("seed %u, file %d: last line: %s\n", seed, i, last_line.c_str());
    }
  }
  printf("%d of %d damaged files refused\n", refused, count);
  return failures;
}

__attribute__((format(printf, 1, 2))) static std::string formatted(const char* format, ...) {
  va_list args;
  va_start(args, format);
  executorch::runtime::internal::vlogf(executorch::runtime::LogLevel::Error, 0, "f", "f", 1, format,
                                       args);
  va_end(args);
  return last_line;
}

// What printf would say, said by us.
#define SAME_AS_PRINTF(...)                            \
  do {                                                 \
    char expected[256];                                \
    snprintf(expected, sizeof(expected), __VA_ARGS__); \
    EXPECT(formatted(__VA_ARGS__) == expected);        \
  } while (0)

static int command_log() {
  SAME_AS_PRINTF("%d %i %u %x %X", -12, 34, 56u, 0xABCu, 0xDEFu);
  SAME_AS_PRINTF("%zu %zd %zx", SIZE_MAX, ssize_t(-5), size_t(0x123456789));
  SAME_AS_PRINTF("%ld %lu %lld %llu", -1L, 2UL, -3LL, ~0ULL);
  SAME_AS_PRINTF("%" PRId64 " %" PRIu32 " %" PRIx64 " %" PRId8, INT64_MIN, uint32_t(7),
                 ~uint64_t(0), int8_t(-3));
  SAME_AS_PRINTF("%5d|%-5d|%05d|%5u|%-5x|%08x", 42, 42, -42, 42u, 0x2Au, 0xBEEFu);
  SAME_AS_PRINTF("%*d|%-*d|", 6, 1, 6, 1);
  SAME_AS_PRINTF("%s|%8s|%-8s|%.2s|%.*s", "abc", "abc", "abc", "abc", 1, "abc");
  SAME_AS_PRINTF("%c%c%%", 'a', 'b');
  SAME_AS_PRINTF("%p", static_cast<void*>(&failures));
  SAME_AS_PRINTF("%d %hd %hhu", int(INT32_MIN), short(-7), static_cast<unsigned char>(200));
  EXPECT(formatted("%f %.1f %8f|", 1.5, -0.25, 1234.0) == "1.500 -0.250 1234.000|");
  EXPECT(formatted("%f %f %f", 1e300, 0.0, 1e-310) == "big 0.000 0.000");
  const char* volatile none = nullptr;  // Or the compiler sees through it.
  EXPECT(formatted("%s", none) == "(null)");
  EXPECT(formatted("%s", std::string(500, 'x').c_str()).size() == 160);

  // Registered hooks are used from then on, the others stay.
  static int emitted = 0;
  EXPECT(executorch::runtime::register_pal(executorch::runtime::PalImpl::create(
      [](et_timestamp_t, et_pal_log_level_t level, const char*, const char*, size_t, const char*,
         size_t) { emitted += level == kError; },
      "host.cpp")));
  ET_LOG(Error, "counted");
  EXPECT(emitted == 1);
  executorch::runtime::runtime_init();
  EXPECT(executorch::runtime::ticks_to_ns(5) == 5);
  return failures;
}

static int command_units() {
  using namespace executorch::runtime;
  int32_t sizes[] = {2, 3, 4, 5};
  uint8_t order[] = {0, 2, 3, 1};
  uint8_t plain[] = {0, 1, 2, 3};
  int32_t strides[] = {60, 1, 15, 3};
  std::vector<float> data(120);
  TensorImpl impl(ScalarType::Float, 4, sizes, data.data(), order, strides,
                  TensorShapeDynamism::DYNAMIC_BOUND);
  Tensor tensor(&impl);
  EXPECT(tensor.nbytes() == 480 && tensor.element_size() == 4 && tensor.numel() == 120);
  const int32_t smaller[] = {1, 3, 2, 5};
  EXPECT(resize_tensor(tensor, {smaller, 4}) == Error::Ok);
  EXPECT(tensor.numel() == 30 && strides[2] == 15 && strides[3] == 3 && strides[0] == 30);
  const int32_t bigger[] = {2, 3, 4, 6};
  const int32_t negative[] = {2, 3, 4, -1};
  EXPECT(resize_tensor(tensor, {bigger, 4}) == Error::NotSupported);
  EXPECT(resize_tensor(tensor, {negative, 4}) == Error::InvalidArgument);
  EXPECT(resize_tensor(tensor, {smaller, 3}) == Error::NotSupported);
  const int64_t wide[] = {2, 3, 4, 5};
  EXPECT(resize_tensor(tensor, executorch::aten::ArrayRef<int64_t>(wide, 4)) == Error::Ok);
  EXPECT(tensor.numel() == 120);

  TensorImpl other_impl(ScalarType::Float, 4, sizes, nullptr, plain, strides);
  Tensor other(&other_impl);
  EXPECT(tensor_is_channels_last_dim_order(tensor) && !tensor_is_default_dim_order(tensor));
  EXPECT(tensor_is_default_dim_order(other) && !tensor_is_channels_last_dim_order(other));
  EXPECT(tensor_is_default_or_channels_last_dim_order(tensor));
  EXPECT(tensor_has_valid_dim_order(tensor));
  EXPECT(!tensors_have_same_dim_order(tensor, other));
  EXPECT(tensors_have_same_dim_order(tensor, tensor));
  uint8_t read_order[4];
  EXPECT(get_dim_order(tensor, read_order, 4) == Error::Ok && read_order[3] == 1);
  EXPECT(get_dim_order(tensor, read_order, 3) == Error::InvalidArgument);
  EXPECT(internal::copy_tensor_data(other, tensor) == Error::InvalidArgument);
  EXPECT(internal::share_tensor_data(tensor, other) == Error::InvalidArgument);
  EXPECT(internal::share_tensor_data(other, tensor) == Error::Ok);
  EXPECT(other.const_data_ptr() == data.data());
  internal::reset_data_ptr(other);
  EXPECT(other.const_data_ptr() == nullptr);
  EXPECT(internal::set_tensor_data(other, data.data(), 479) == Error::InvalidArgument);
  EXPECT(internal::set_tensor_data(other, data.data(), 480) == Error::Ok);

  const int32_t huge[] = {INT32_MAX, INT32_MAX, INT32_MAX};
  EXPECT(etensor::safe_numel(huge, 3).error() == Error::InvalidArgument);
  EXPECT(*etensor::safe_numel(nullptr, 0) == 1);
  EXPECT(etensor::safe_numel(nullptr, 1).error() == Error::InvalidArgument);

  EXPECT(std::string(tensor_shape_to_c_string(Span<const int32_t>(sizes, 4)).data()) ==
         "(2, 3, 4, 5)");
  EXPECT(std::string(tensor_shape_to_c_string(Span<const int32_t>()).data()) == "()");
  const int64_t odd[] = {-1, int64_t(1) << 40, INT32_MAX};
  EXPECT(std::string(tensor_shape_to_c_string(Span<const int64_t>(odd, 3)).data()) ==
         "(ERR, ERR, 2147483647)");
  std::vector<int64_t> longest(16, INT32_MAX);
  EXPECT(tensor_shape_to_c_string(Span<const int64_t>(longest.data(), 16))[0] == '(');

  char text[kTagNameBufferSize];
  EXPECT(tag_to_string(Tag::ListOptionalTensor, text, sizeof(text)) == 18);
  EXPECT(std::string(text) == "ListOptionalTensor");
  EXPECT(tag_to_string(Tag::Tensor, text, 4) == 6 && std::string(text) == "Ten");

  Result<const TensorLayout> layout = TensorLayout::create(
      Span<const int32_t>(sizes, 4), Span<const uint8_t>(order, 4), ScalarType::Char);
  EXPECT(layout.ok() && layout->nbytes() == 120);
  EXPECT(!TensorLayout::create(Span<const int32_t>(sizes, 4), Span<const uint8_t>(order, 3),
                               ScalarType::Char)
              .ok());

  TensorMeta metas[] = {TensorMeta(ScalarType::Double, {plain, 4}),
                        TensorMeta(ScalarType::UInt16, {plain, 1})};
  char key[internal::kKernelKeyBufSize];
  EXPECT(internal::make_kernel_key_string({metas, 2}, key, sizeof(key)) == Error::Ok);
  EXPECT(std::string(key) == "v1/7;0,1,2,3|27;0");
  EXPECT(internal::make_kernel_key_string({metas, 2}, key, 10) == Error::InvalidArgument);
  EXPECT(!registry_has_op_function("test::add.out"));
  EXPECT(register_kernels({test::kKernels, 2}) == Error::Ok);
  EXPECT(get_registered_kernels().size() == 2);
  EXPECT(registry_has_op_function("test::add.out", {metas, 2}));
  EXPECT(*get_op_function_from_registry("test::copy.out") == test::copy);
  EXPECT(get_op_function_from_registry("test::copy").error() == Error::OperatorMissing);
  return failures;
}

// Says of each file whether its FlatBuffer holds together.
static int command_verify(int count, char** paths) {
  for (int i = 0; i < count; ++i) {
    const std::vector<uint8_t> file = read_file(paths[i]);
    uint64_t size = file.size();
    if (size >= 24 && memcmp(file.data() + 8, "eh00", 4) == 0) {
      memcpy(&size, file.data() + 16, sizeof(size));
    }
    const Error error = mcugen::verify_program(file.data(), static_cast<size_t>(size));
    printf("%s\n", error == Error::Ok ? "sound" : "damaged");
  }
  return 0;
}

int main(int argc, char** argv) {
  setvbuf(stdout, nullptr, _IONBF, 0);
  const std::string command = argc > 1 ? argv[1] : "";
  if (command == "api" && argc == 3) {
    return command_api(argv[2]) != 0;
  }
  if (command == "errors" && argc == 4) {
    return command_errors(argv[2], argv[3]) != 0;
  }
  if (command == "golden") {
    return command_golden(argc - 2, argv + 2) != 0;
  }
  if (command == "truncate" && argc == 4) {
    return command_truncate(argv[2], strtoul(argv[3], nullptr, 10)) != 0;
  }
  if (command == "verify") {
    return command_verify(argc - 2, argv + 2) != 0;
  }
  if (command == "flip" && argc == 6) {
    return command_flip(argv[2], unsigned(atoi(argv[3])), atoi(argv[4]),
                        strtoul(argv[5], nullptr, 0)) != 0;
  }
  if (command == "log") {
    return command_log() != 0;
  }
  if (command == "units") {
    return command_units() != 0;
  }
  printf(
      "usage: host api DIR | errors DIR LIST | golden FILE… | truncate FILE STRIDE | "
      "verify FILE… | flip FILE SEED COUNT BYTES | log | units\n");
  return 2;
}
