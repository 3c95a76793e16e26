// SPDX-License-Identifier: BSD-3-Clause
#include <app/application.h>
#include <app/model_store.h>
#include <app/server.h>

// Stands in until you define one, with your own data: in src/application.cpp, so that this file
// stays as it was generated. README.md has an example.
__attribute__((weak)) void mcugen::application() {}

// The startup code has set up clock, console and counters.
int main() {
  mcugen::model_store_boot();
  mcugen::application();
  mcugen::server_run();
}
