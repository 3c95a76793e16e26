// SPDX-License-Identifier: BSD-3-Clause
#include <cstdint>

extern "C" {
extern uint32_t __stack_top[];
extern uint32_t __data_start[];
extern uint32_t __data_end[];
extern const uint32_t __data_load[];
extern uint32_t __bss_start[];
extern uint32_t __bss_end[];
void reset_handler();
}
int main();

namespace {
[[noreturn]] void fault() {
  for (;;) {
  }
}
struct Vectors {
  uint32_t* stack;
  void (*handlers[15])();
};
__attribute__((section(".isr_vector"), used)) constexpr Vectors kVectors = {
    __stack_top, {reset_handler, fault, fault, fault, fault, fault}};
}  // namespace

extern "C" void reset_handler() {
#if defined(__ARM_FP)
  *reinterpret_cast<volatile uint32_t*>(0xE000ED88) |= 0xF << 20;  // CPACR: FPU on
#endif
  const uint32_t* from = __data_load;
  for (uint32_t* to = __data_start; to < __data_end; ++to) *to = *from++;
  for (uint32_t* to = __bss_start; to < __bss_end; ++to) *to = 0;
  main();
}
