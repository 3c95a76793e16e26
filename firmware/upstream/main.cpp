// SPDX-License-Identifier: BSD-3-Clause
//
// Instead of app/main.cpp where ExecuTorch's own libraries are linked: what they register from
// static constructors, which nothing else here has, and the model's kernels go into ExecuTorch's
// registry first.
#include <app/application.h>
#include <app/model_store.h>
#include <app/server.h>
#include <port/panic.h>
#include <upstream/boot.h>

extern "C" {
// From the linker script.
extern void (*__constructors_start[])();
extern void (*__constructors_end[])();
}

namespace mcugen {
namespace {

void run_constructors() {
  boot_stage(BootStage::kConstructors);
  for (void (**constructor)() = __constructors_start; constructor != __constructors_end;
       ++constructor) {
    (*constructor)();
  }
}

void register_kernels() {
  // One by one, so that an abort can say which: the registry does not tell how many it holds.
  for (const executorch::runtime::Kernel& kernel : model_kernels()) {
    boot_stage(BootStage::kRegistering, kernel.name_);
    if (executorch::runtime::register_kernel(kernel) != executorch::runtime::Error::Ok) {
      MCUGEN_PANIC(kernel.name_);
    }
  }
}

}  // namespace
}  // namespace mcugen

// Stands in until you define one, with your own data: in src/application.cpp, so that this file
// stays as it was generated. README.md has an example.
__attribute__((weak)) void mcugen::application() {}

// The startup code has set up clock, console and counters.
int main() {
  mcugen::run_constructors();
  mcugen::register_kernels();
  mcugen::boot_stage(mcugen::BootStage::kRunning);
  mcugen::model_store_boot();
  mcugen::application();
  mcugen::server_run();
}
