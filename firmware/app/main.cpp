// SPDX-License-Identifier: BSD-3-Clause
#include <app/model_store.h>
#include <app/server.h>

// The startup code has set up clock, console and counters.
int main() {
  mcugen::model_store_boot();
  mcugen::server_run();
}
