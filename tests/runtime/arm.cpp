// SPDX-License-Identifier: BSD-3-Clause
// Loads every method of the program that QEMU placed in PSRAM, and says over semihosting what it
// took: "<method> method_bytes=<n> stack=<n> ticks=<n>". Kernels do nothing.

#include <executorch/extension/data_loader/buffer_data_loader.h>
#include <executorch/runtime/executor/program.h>
#include <executorch/runtime/kernel/kernel_runtime_context.h>
#include <runtime/schema/program_reader.h>

using executorch::extension::BufferDataLoader;
using executorch::runtime::Error;
using executorch::runtime::EValue;
using executorch::runtime::HierarchicalAllocator;
using executorch::runtime::Kernel;
using executorch::runtime::KernelRuntimeContext;
using executorch::runtime::MemoryAllocator;
using executorch::runtime::MemoryManager;
using executorch::runtime::Method;
using executorch::runtime::Program;
using executorch::runtime::Result;
using executorch::runtime::Span;

extern "C" {
extern uint32_t stack_top;
[[noreturn]] void reset();

static uint32_t semihosting(uint32_t operation, const void* argument) {
  register uint32_t r0 asm("r0") = operation;
  register const void* r1 asm("r1") = argument;
  asm volatile("bkpt 0xab" : "+r"(r0) : "r"(r1) : "memory");
  return r0;
}

[[noreturn]] static void stop(bool ok) {
  // SYS_EXIT; ADP_Stopped_ApplicationExit or ADP_Stopped_RunTimeErrorUnknown.
  semihosting(0x18, reinterpret_cast<const void*>(ok ? 0x20026 : 0x20023));
  while (true) {
  }
}

static void fault() { stop(false); }

__attribute__((section(".vectors"), used)) const void* const vectors[16] = {
    &stack_top,
    reinterpret_cast<const void*>(reset),
    reinterpret_cast<const void*>(fault),
    reinterpret_cast<const void*>(fault),
    reinterpret_cast<const void*>(fault),
    reinterpret_cast<const void*>(fault),
    reinterpret_cast<const void*>(fault),
};

void et_pal_emit_log_message(et_timestamp_t, et_pal_log_level_t, const char*, const char*, size_t,
                             const char* message, size_t) {
  semihosting(0x04, message);  // SYS_WRITE0
  semihosting(0x04, "\n");
}
}

namespace {

alignas(16) uint8_t method_pool[128 * 1024];
alignas(16) uint8_t planned_memory[512 * 1024];
alignas(16) uint8_t temp_pool[1024];

// Placed by QEMU: u32 length at the start of PSRAM, the program 16 bytes behind.
const uint32_t& pte_bytes = *reinterpret_cast<const uint32_t*>(0x21000000);
const uint8_t* const pte = reinterpret_cast<const uint8_t*>(0x21000010);

void nothing(KernelRuntimeContext&, Span<EValue*>) {}

constexpr uint32_t kPaint = 0xA5A5A5A5;
constexpr size_t kPainted = 4096;

void paint_stack() {
  volatile uint32_t* here = static_cast<volatile uint32_t*>(__builtin_frame_address(0)) - 16;
  for (size_t i = 0; i < kPainted / 4; ++i) {
    *(here - i) = kPaint;
  }
}

size_t used_stack() {
  volatile uint32_t* here = static_cast<volatile uint32_t*>(__builtin_frame_address(0)) - 16;
  volatile uint32_t* lowest = here - kPainted / 4 + 1;
  while (lowest < here && *lowest == kPaint) {
    ++lowest;
  }
  return static_cast<size_t>(here - lowest) * 4;
}

// SysTick at the core clock, which QEMU's -icount turns into instructions.
volatile uint32_t* const systick = reinterpret_cast<volatile uint32_t*>(0xE000E010);

bool run() {
  systick[1] = 0xFFFFFF;
  systick[2] = 0;
  systick[0] = 5;
  BufferDataLoader loader(pte, pte_bytes);
  paint_stack();
  const uint32_t before_program = systick[2];
  Result<Program> program = Program::load(&loader);
  const uint32_t program_ticks = before_program - systick[2];
  ET_LOG(Error, "program stack=%zu ticks=%lu", used_stack(), program_ticks);
  if (!program.ok()) {
    return false;
  }
  const auto* root = flatbuffers::GetRoot<executorch_flatbuffer::Program>(pte);
  for (uint32_t m = 0; m < root->execution_plan()->size(); ++m) {
    const auto* plan = root->execution_plan()->Get(m);
    static char names[32][96];
    static Kernel kernels[32];
    uint32_t n_kernels = 0;
    for (; n_kernels < plan->operators()->size() && n_kernels < 32; ++n_kernels) {
      const auto* op = plan->operators()->Get(n_kernels);
      char* at = names[n_kernels];
      for (const char* c = op->name()->c_str(); *c != '\0';) {
        *at++ = *c++;
      }
      *at++ = '.';
      for (const char* c = op->overload()->c_str(); *c != '\0';) {
        *at++ = *c++;
      }
      *at = '\0';
      kernels[n_kernels] = Kernel(names[n_kernels], nothing);
    }
    MemoryAllocator method_allocator(sizeof(method_pool), method_pool);
    MemoryAllocator temp_allocator(sizeof(temp_pool), temp_pool);
    // The kernels do nothing, so the buffers may be one.
    Span<uint8_t> planned[] = {{planned_memory, sizeof(planned_memory)},
                               {planned_memory, sizeof(planned_memory)}};
    HierarchicalAllocator planned_allocator({planned, 2});
    MemoryManager memory(&method_allocator, &planned_allocator, &temp_allocator);
    const char* name = plan->name()->c_str();
    paint_stack();
    const uint32_t before = systick[2];
    Result<Method> method =
        program->load_method(name, &memory, nullptr, nullptr, nullptr, {kernels, n_kernels});
    const uint32_t ticks = before - systick[2];
    const size_t stack = used_stack();
    if (!method.ok()) {
      return false;
    }
    const uint32_t before_execute = systick[2];
    const Error error = method->execute();
    const uint32_t execute_ticks = before_execute - systick[2];
    ET_LOG(Error, "%s method_bytes=%zu stack=%zu ticks=%lu execute=%lu error=%u", name,
           method_allocator.used_size(), stack, ticks, execute_ticks, static_cast<unsigned>(error));
  }
  return true;
}

}  // namespace

extern "C" void reset() { stop(run()); }
