// SPDX-License-Identifier: BSD-3-Clause
//
// Instead of app/main.cpp where ExecuTorch's own libraries are linked: their kernels register
// themselves from static constructors, which nothing else here has.
#include <app/application.h>
#include <app/model_store.h>
#include <app/server.h>

extern "C" {
// From the linker script.
extern void (*__constructors_start[])();
extern void (*__constructors_end[])();
}

// Stands in until you define one, with your own data: in src/application.cpp, so that this file
// stays as it was generated. README.md has an example.
__attribute__((weak)) void mcugen::application() {}

// The startup code has set up clock, console and counters.
int main() {
  for (void (**constructor)() = __constructors_start; constructor != __constructors_end;
       ++constructor) {
    (*constructor)();
  }
  mcugen::model_store_boot();
  mcugen::application();
  mcugen::server_run();
}
