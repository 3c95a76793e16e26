// SPDX-License-Identifier: BSD-3-Clause
// Runs whole programs on the host, under ASan and UBSan.
//
// `pte_host MODEL INPUT OUTPUT` runs one. INPUT holds the bytes of all inputs one after the other,
// in memory order; OUTPUT gets those of all outputs.
//
// `pte_host` serves. A request on stdin: the sizes of program and input as two little-endian u32,
// then both. The reply: three u32, an Error and the sizes of text and output, then both.
//
// Every planned buffer is a heap block of exactly its size.

#include <executorch/extension/data_loader/buffer_data_loader.h>
#include <executorch/runtime/core/hierarchical_allocator.h>
#include <executorch/runtime/executor/memory_manager.h>
#include <executorch/runtime/executor/method.h>
#include <executorch/runtime/executor/program.h>
#include <executorch/runtime/platform/platform.h>
#include <executorch/runtime/platform/runtime.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "op_table.h"

using namespace executorch::runtime;

namespace {

std::vector<char> read_file(const char* path) {
  FILE* const file = fopen(path, "rb");
  if (file == nullptr) {
    fprintf(stderr, "pte_host: cannot read %s\n", path);
    exit(3);
  }
  std::vector<char> bytes;
  char block[4096];
  for (size_t got = 0; (got = fread(block, 1, sizeof block, file)) > 0;) {
    bytes.insert(bytes.end(), block, block + got);
  }
  fclose(file);
  return bytes;
}

std::string log_text;

struct Outcome {
  Error error = Error::Ok;
  std::string text;  ///< what failed, and what was logged
  std::vector<char> output;
};

void append_scalar(const EValue& value, std::vector<char>& output) {
  const auto append = [&output](const auto& number) {
    const char* const bytes = reinterpret_cast<const char*>(&number);
    output.insert(output.end(), bytes, bytes + sizeof number);
  };
  if (value.isInt()) {
    append(value.toInt());
  } else if (value.isDouble()) {
    append(value.toDouble());
  } else if (value.isBool()) {
    append(value.toBool());
  }
}

Outcome run(const std::vector<char>& file, const std::vector<char>& input) {
  Outcome outcome;
  log_text.clear();
  const auto failed = [&outcome](Error error, const char* what) {
    outcome.error = error;
    if (error != Error::Ok) {
      outcome.text = std::string(what) + "\n" + log_text;
    }
    return error != Error::Ok;
  };
  // Exactly as long as the file, so that a read past its end is seen.
  struct Free {
    void operator()(void* pointer) const { free(pointer); }
  };
  std::unique_ptr<void, Free> pte;
  void* pointer = nullptr;
  if (posix_memalign(&pointer, 16, file.size() + 1) != 0) {
    exit(3);
  }
  pte.reset(pointer);
  memcpy(pointer, file.data(), file.size());

  executorch::extension::BufferDataLoader loader(pointer, file.size());
  Result<Program> program = Program::load(&loader);
  if (failed(program.error(), "Program::load")) {
    return outcome;
  }
  const Result<const char*> name = program->get_method_name(0);
  if (failed(name.error(), "get_method_name")) {
    return outcome;
  }
  Result<MethodMeta> meta = program->method_meta(*name);
  if (failed(meta.error(), "method_meta")) {
    return outcome;
  }

  std::vector<std::unique_ptr<uint8_t[]>> blocks;
  std::vector<Span<uint8_t>> planned;
  for (size_t i = 0; i < meta->num_memory_planned_buffers(); ++i) {
    const size_t bytes = static_cast<size_t>(meta->memory_planned_buffer_size(i).get());
    blocks.emplace_back(new uint8_t[bytes]());
    planned.emplace_back(blocks.back().get(), bytes);
  }
  HierarchicalAllocator planned_memory({planned.data(), planned.size()});
  std::vector<uint8_t> pool(1 << 20);
  MemoryAllocator method_allocator(static_cast<uint32_t>(pool.size()), pool.data());
  MemoryAllocator temp_allocator(0, nullptr);
  MemoryManager memory(&method_allocator, &planned_memory, &temp_allocator);

  static std::vector<Kernel> kernels;
  if (kernels.empty()) {
    for (const OpTableEntry& entry : kOpTable) {
      kernels.emplace_back(entry.name, entry.function);
    }
  }
  const Span<const Kernel> table(kernels.data(), kernels.size());
  Result<Method> method = program->load_method(*name, &memory, nullptr, nullptr, nullptr, table);
  if (failed(method.error(), "load_method")) {
    return outcome;
  }

  // The exporter plans inputs; outputs that alias a constant are the caller's.
  size_t at = 0;
  for (size_t i = 0; i < method->inputs_size(); ++i) {
    const EValue& value = method->mutable_input(i);
    if (!value.isTensor()) {
      continue;
    }
    const auto& tensor = value.toTensor();
    if (at + tensor.nbytes() > input.size()) {
      failed(Error::InvalidArgument, "the input is too small");
      return outcome;
    }
    if (tensor.nbytes() > 0) {
      memcpy(tensor.mutable_data_ptr(), input.data() + at, tensor.nbytes());
    }
    at += tensor.nbytes();
  }
  for (size_t i = 0; i < method->outputs_size(); ++i) {
    const EValue& value = method->get_output(i);
    if (value.isTensor() && value.toTensor().const_data_ptr() == nullptr &&
        value.toTensor().nbytes() > 0) {
      blocks.emplace_back(new uint8_t[value.toTensor().nbytes()]());
      if (failed(method->set_output_data_ptr(blocks.back().get(), value.toTensor().nbytes(), i),
                 "set_output_data_ptr")) {
        return outcome;
      }
    }
  }
  if (failed(method->execute(), "execute")) {
    return outcome;
  }

  for (size_t i = 0; i < method->outputs_size(); ++i) {
    const EValue& value = method->get_output(i);
    if (value.isTensor()) {
      const auto& tensor = value.toTensor();
      const char* const data = static_cast<const char*>(tensor.const_data_ptr());
      outcome.output.insert(outcome.output.end(), data, data + tensor.nbytes());
    } else {
      append_scalar(value, outcome.output);
    }
  }
  return outcome;
}

bool read_stdin(void* target, size_t bytes) {
  return bytes == 0 || fread(target, 1, bytes, stdin) == bytes;
}

int serve() {
  uint32_t sizes[2];
  while (read_stdin(sizes, sizeof sizes)) {
    std::vector<char> file(sizes[0]);
    std::vector<char> input(sizes[1]);
    if (!read_stdin(file.data(), file.size()) || !read_stdin(input.data(), input.size())) {
      return 3;
    }
    const Outcome outcome = run(file, input);
    const uint32_t head[3] = {static_cast<uint32_t>(outcome.error),
                              static_cast<uint32_t>(outcome.text.size()),
                              static_cast<uint32_t>(outcome.output.size())};
    fwrite(head, 1, sizeof head, stdout);
    fwrite(outcome.text.data(), 1, outcome.text.size(), stdout);
    if (!outcome.output.empty()) {
      fwrite(outcome.output.data(), 1, outcome.output.size(), stdout);
    }
    fflush(stdout);
  }
  return 0;
}

}  // namespace

extern "C" void et_pal_emit_log_message(et_timestamp_t, et_pal_log_level_t, const char*,
                                        const char*, size_t, const char* message, size_t length) {
  log_text.append(message, length);
  log_text.push_back('\n');
}

int main(int argc, char** argv) {
  runtime_init();
  if (argc == 1) {
    return serve();
  }
  if (argc != 4) {
    return 3;
  }
  const Outcome outcome = run(read_file(argv[1]), read_file(argv[2]));
  if (outcome.error != Error::Ok) {
    fprintf(stderr, "pte_host: 0x%x %s\n", static_cast<unsigned>(outcome.error),
            outcome.text.c_str());
    return 2;
  }
  FILE* const output = fopen(argv[3], "wb");
  fwrite(outcome.output.data(), 1, outcome.output.size(), output);
  fclose(output);
  return 0;
}
