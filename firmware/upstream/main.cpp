// SPDX-License-Identifier: BSD-3-Clause
//
// Instead of app/main.cpp where ExecuTorch's own libraries are linked: their kernels register
// themselves from static constructors, which nothing else here has.
#include <app/model_store.h>
#include <app/server.h>

extern "C" {
// From the linker script.
extern void (*__constructors_start[])();
extern void (*__constructors_end[])();
}

// The startup code has set up clock, console and counters.
int main() {
  for (void (**constructor)() = __constructors_start; constructor != __constructors_end;
       ++constructor) {
    (*constructor)();
  }
  mcugen::model_store_boot();
  mcugen::server_run();
}
