// SPDX-License-Identifier: BSD-3-Clause
// Runs a whole .pte on the host, under ASan and UBSan: pte_host MODEL INPUT OUTPUT. INPUT holds the
// bytes of all inputs one after the other, in memory order; OUTPUT gets those of all outputs. Every
// planned buffer is a heap block of exactly its size.

#include <executorch/extension/data_loader/buffer_data_loader.h>
#include <executorch/runtime/core/hierarchical_allocator.h>
#include <executorch/runtime/executor/memory_manager.h>
#include <executorch/runtime/executor/method.h>
#include <executorch/runtime/executor/program.h>
#include <executorch/runtime/platform/runtime.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
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

void expect(Error error, const char* what) {
  if (error != Error::Ok) {
    fprintf(stderr, "pte_host: %s: 0x%x\n", what, static_cast<unsigned>(error));
    exit(2);
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4) {
    return 3;
  }
  runtime_init();
  const std::vector<char> file = read_file(argv[1]);
  const std::vector<char> input = read_file(argv[2]);
  void* const pte = aligned_alloc(16, (file.size() + 15) / 16 * 16);
  memcpy(pte, file.data(), file.size());

  executorch::extension::BufferDataLoader loader(pte, file.size());
  Result<Program> program = Program::load(&loader);
  expect(program.error(), "Program::load");
  Result<MethodMeta> meta = program->method_meta("forward");
  expect(meta.error(), "method_meta");

  std::vector<std::unique_ptr<uint8_t[]>> blocks;
  std::vector<Span<uint8_t>> planned;
  for (size_t i = 0; i < meta->num_memory_planned_buffers(); ++i) {
    const size_t bytes = static_cast<size_t>(meta->memory_planned_buffer_size(i).get());
    blocks.emplace_back(new uint8_t[bytes]);
    planned.emplace_back(blocks.back().get(), bytes);
  }
  HierarchicalAllocator planned_memory({planned.data(), planned.size()});
  std::vector<uint8_t> pool(1 << 18);
  MemoryAllocator method_allocator(static_cast<uint32_t>(pool.size()), pool.data());
  MemoryAllocator temp_allocator(0, nullptr);
  MemoryManager memory(&method_allocator, &planned_memory, &temp_allocator);

  std::vector<Kernel> kernels;
  for (const OpTableEntry& entry : kOpTable) {
    kernels.emplace_back(entry.name, entry.function);
  }
  const Span<const Kernel> table(kernels.data(), kernels.size());
  Result<Method> method =
      program->load_method("forward", &memory, nullptr, nullptr, nullptr, table);
  expect(method.error(), "load_method");

  size_t at = 0;
  for (size_t i = 0; i < method->inputs_size(); ++i) {
    const auto& tensor = method->mutable_input(i).toTensor();
    if (at + tensor.nbytes() > input.size()) {
      fprintf(stderr, "pte_host: %s is too small\n", argv[2]);
      return 3;
    }
    memcpy(tensor.mutable_data_ptr(), input.data() + at, tensor.nbytes());
    at += tensor.nbytes();
  }
  expect(method->execute(), "execute");

  FILE* const output = fopen(argv[3], "wb");
  for (size_t i = 0; i < method->outputs_size(); ++i) {
    const auto& tensor = method->get_output(i).toTensor();
    fwrite(tensor.const_data_ptr(), 1, tensor.nbytes(), output);
  }
  fclose(output);
  free(pte);
  return 0;
}
